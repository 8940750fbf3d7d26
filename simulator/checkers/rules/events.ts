/**
 * RULES 11: every committed event is published at least once, applied effectively once, in order per actor. Compares what
 * a consumer of the stream received with what an auditor of the database saw committed. Pure.
 */
import type { EventId, Rule, Violation } from "../evidence.js";

export const EVENT_RULE = "rule-11-events-once-in-order";

export const eventsOnceInOrder: Rule = {
  name: EVENT_RULE,
  check: ({ events }) => (events === undefined ? [] : judgeEvents(events.committed, events.received)),
};

const MOST_TOLD = 20;
const LINES = 16;

/** `received` in order of arrival, repeats and all. */
export function judgeEvents(committed: readonly EventId[], received: readonly EventId[]): readonly Violation[] {
  const wanted = byActor(committed);
  const got = byActor(received);
  const found = [...early(committed, received)];
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
export function outstanding(committed: readonly EventId[], received: readonly EventId[]): number {
  const got = new Set(received.map(textOf));
  return committed.filter((event) => !got.has(textOf(event))).length;
}

/** Events that a consumer had before they were committed, where one clock told both. */
function* early(committed: readonly EventId[], received: readonly EventId[]): Iterable<Violation> {
  const committedAt = new Map<string, number>();
  for (const event of committed) if (event.at !== undefined) committedAt.set(textOf(event), event.at);
  if (committedAt.size === 0) return;
  for (const event of received) {
    const at = committedAt.get(textOf(event));
    if (at === undefined || event.at === undefined || event.at >= at) continue;
    const actor = `${event.kind}/${event.key}`;
    yield {
      rule: EVENT_RULE,
      subject: actor,
      summary: `${actor}: event ${event.offset} was published ${at - event.at} ms before its commit`,
      story: [
        `${stamp(event.at)} a consumer has event ${event.offset}`,
        `${stamp(at)} event ${event.offset} is committed`,
      ],
    };
  }
}

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);

const textOf = ({ kind, key, offset }: EventId): string => `${kind}/${key}/${offset}`;

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

function byActor(events: readonly EventId[]): Map<string, number[]> {
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
