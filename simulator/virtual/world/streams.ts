/**
 * What lies beside the nodes and may be lost without losing truth: the stream of events, and the shared mirror.
 *
 * Invariant: the stream keeps each event once, in the order in which it was stored, whatever its publishers hear of it.
 */
import type { MirrorPort } from "../../../src/actors/runtime/mod.js";
import { createMemoryEventStream } from "../../../src/cluster/memory/mod.js";
import type { EventStream } from "../../../src/cluster/mod.js";
import { randomInteger } from "../../../src/lib/random.js";
import { createMemoryMirror } from "../../../src/store/memory/mod.js";
import type { ProcessView, ReceivedEvent, World } from "../ports.js";
import { createWire } from "./wire.js";

export interface WorldStream {
  streamFor(process: ProcessView): EventStream;
  /** In the order in which a consumer gets them. */
  readonly received: readonly ReceivedEvent[];
  away(away: boolean): void;
}

const PATIENCE_MS = 5_000;

export function createStream(world: World): WorldStream {
  const { scheduler, streams, faults, trace } = world;
  const stored = createMemoryEventStream();
  const received: ReceivedEvent[] = [];
  return {
    received,
    streamFor(process) {
      const random = streams.of(`stream ${process.node}`);
      const wire = createWire(scheduler.clock, process.clock);
      return {
        get available() {
          return stored.available;
        },
        publish(event) {
          const lost = random.next() < faults.intensity("stream_answer_lost") * 0.1;
          return wire.send({
            thereMs: 1 + randomInteger(random, 3),
            backMs: lost ? null : 1,
            patienceMs: PATIENCE_MS,
            silence: () => new Error("The stream gave no answer."),
            async serve() {
              await stored.publish(event);
              if (lost) faults.happened("stream_answer_lost", process.life);
              if (stored.events.length === received.length) return;
              const { kind, key, offset, type } = event;
              received.push({ at: scheduler.clock.now(), kind, key, offset, type });
              trace.note("event", `${kind}/${key}`, [offset], () => `the stream has event ${offset}: ${type}`);
            },
          });
        },
        close: async () => {},
      };
    },
    away(away) {
      stored.available = !away;
    },
  };
}

export interface WorldMirror {
  mirrorFor(process: ProcessView): MirrorPort;
}

export function createMirror(world: World): WorldMirror {
  const { scheduler, streams, faults } = world;
  const held = createMemoryMirror({ clock: scheduler.clock, maxEntries: 10_000 });
  return {
    mirrorFor(process) {
      const random = streams.of(`mirror ${process.node}`);
      const away = (): boolean => {
        if (random.next() >= faults.intensity("mirror_away") * 0.5) return false;
        faults.happened("mirror_away", process.life);
        return true;
      };
      return {
        write(entries) {
          if (away()) return;
          scheduler.clock.after(1 + randomInteger(random, 3), () => held.write(entries));
        },
        read(keys) {
          const isAway = away();
          return new Promise((resolve, reject) => {
            const afterMs = isAway ? 200 : 1 + randomInteger(random, 3);
            process.clock.after(afterMs, () => {
              if (isAway) reject(new Error("The mirror is away."));
              else held.read(keys).then(resolve, reject);
            });
          });
        },
        close: async () => {},
      };
    },
  };
}
