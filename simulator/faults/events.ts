/**
 * RULES 11: every committed event is published at least once, applied effectively once, in order per actor. Compares what
 * an outside consumer of the stream received with what the witness in the database saw committed. Pure.
 */
import type { Violation } from "../checkers/mod.js";
import type { CommittedEvent } from "./witness.js";

export interface ReceivedEvent {
  readonly kind: string;
  readonly key: string;
  readonly offset: number;
}

export const EVENT_RULE = "rule-11-events-once-in-order";
const MOST_TOLD = 20;
const LINES = 16;

/** `received` in order of arrival, repeats and all. */
export function judgeEvents(
  committed: readonly CommittedEvent[],
  received: readonly ReceivedEvent[],
): readonly Violation[] {
  const wanted = byActor(committed);
  const got = byActor(received);
  const found: Violation[] = [];
  for (const [actor, offsets] of wanted) {
    const arrived = got.get(actor) ?? [];
    const problem = missing(offsets, arrived) ?? disorder(arrived);
    if (problem !== null) found.push(violation(actor, problem, offsets, arrived));
  }
  for (const [actor, arrived] of got) {
    const known = new Set(wanted.get(actor));
    const stranger = arrived.find((offset) => !known.has(offset));
    if (stranger === undefined) continue;
    found.push(violation(actor, `event ${stranger} was published and never committed`, [...known], arrived));
  }
  return found.slice(0, MOST_TOLD);
}

/** Events that were committed and have not arrived. */
export function outstanding(committed: readonly CommittedEvent[], received: readonly ReceivedEvent[]): number {
  const got = new Set(received.map((event) => `${event.kind}/${event.key}/${event.offset}`));
  return committed.filter((event) => !got.has(`${event.kind}/${event.key}/${event.offset}`)).length;
}

function missing(offsets: readonly number[], arrived: readonly number[]): string | null {
  const got = new Set(arrived);
  const lost = offsets.filter((offset) => !got.has(offset));
  return lost.length === 0
    ? null
    : `${lost.length} committed events were never published: ${lost.slice(0, 8).join(", ")}`;
}

/** What a consumer applies is what it had not seen: that must come in order. Repeats are passed over by their offset. */
function disorder(arrived: readonly number[]): string | null {
  const seen = new Set<number>();
  let newest = 0;
  for (const offset of arrived) {
    if (seen.has(offset)) continue;
    seen.add(offset);
    if (offset < newest) return `event ${offset} came for the first time after event ${newest}`;
    newest = offset;
  }
  return null;
}

function byActor(events: readonly ReceivedEvent[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { kind, key, offset } of events) {
    const actor = `${kind}/${key}`;
    const list = found.get(actor);
    if (list === undefined) found.set(actor, [offset]);
    else list.push(offset);
  }
  return found;
}

function violation(actor: string, problem: string, offsets: readonly number[], arrived: readonly number[]): Violation {
  return {
    rule: EVENT_RULE,
    subject: actor,
    summary: `${actor}: ${problem}`,
    story: [
      `committed: ${offsets.slice(-LINES).join(" ")}`,
      `arrived, in this order: ${arrived.slice(-LINES).join(" ") || "nothing"}`,
    ],
  };
}
