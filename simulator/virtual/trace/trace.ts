/**
 * The trace of a run: a running hash over all that happens, and the last lines about every entity.
 *
 * Invariants: only whole numbers and texts go into the hash, never a fraction; memory is bounded, whatever happens; what
 * is told in lines never changes the hash.
 */

import type { StoryLine, Trace } from "../ports.js";
import { hashText, mix } from "../time/scheduler.js";

export interface TraceOptions {
  /** The world's time. */
  readonly now: () => number;
  /** False: nobody will ask for stories, and no line is made. Default true. */
  readonly stories?: boolean;
  /** Lines kept per entity. Default 400. */
  readonly linesPerEntity?: number;
  /** Entities with lines; beyond it the one that was quiet longest gives way. Default 2,000. */
  readonly maxEntities?: number;
  /** True: every note also becomes a line for `onLine`. For finding out where two runs part. */
  readonly onNote?: (text: string) => void;
}

const MAX_TEXTS = 50_000;

export function createTrace(options: TraceOptions): Trace {
  const { now, linesPerEntity = 400, maxEntities = 2_000, stories = true, onNote } = options;
  const texts = new Map<string, number>();
  const rings = new Map<string, { lines: StoryLine[]; next: number }>();
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  let notes = 0;

  function textHash(text: string): number {
    let hash = texts.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      if (texts.size < MAX_TEXTS) texts.set(text, hash);
    }
    return hash;
  }

  function take(value: number): void {
    low = mix(low ^ value);
    high = (Math.imul(high, 0x01000193) ^ low) >>> 0;
  }

  function keep(of: string, text: string): void {
    let ring = rings.get(of);
    if (ring === undefined) {
      if (rings.size >= maxEntities) rings.delete(rings.keys().next().value as string);
      ring = { lines: [], next: 0 };
    } else {
      rings.delete(of);
    }
    rings.set(of, ring);
    const line: StoryLine = { number: notes, at: now(), of, text };
    if (ring.lines.length < linesPerEntity) ring.lines.push(line);
    else {
      ring.lines[ring.next] = line;
      ring.next = (ring.next + 1) % linesPerEntity;
    }
  }

  return {
    note(what, of, numbers, tell) {
      notes++;
      const at = now();
      take(at >>> 0);
      take(Math.floor(at / 2 ** 32));
      take(textHash(what));
      take(textHash(of));
      if (numbers !== undefined) {
        for (const number of numbers) {
          if (!Number.isSafeInteger(number)) throw new RangeError(`trace: ${what} of ${of} has ${number}`);
          take(number >>> 0);
          if (number > 0xffffffff || number < 0) take(Math.floor(number / 2 ** 32) >>> 0);
        }
      }
      onNote?.(`${at} ${what} ${of} ${numbers?.join(",") ?? ""}`);
      if (stories && tell !== undefined) keep(of, tell());
    },
    hash: () => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0"),
    get notes() {
      return notes;
    },
    story(...of) {
      const wanted = of.length === 0 ? [...rings.keys()] : of;
      const lines = wanted.flatMap((name) => rings.get(name)?.lines ?? []);
      return lines.sort((a, b) => a.number - b.number);
    },
  };
}
