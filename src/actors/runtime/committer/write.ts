/**
 * Turns the runs of one actor that wait for a commit into one `ActorWrite`. Pure but for reading the activation.
 */
import type { Json } from "../../../lib/json.js";
import { encodePassing } from "../../../lib/msgpack.js";
import { type Activation, type KindRuntime, keepOf } from "../activation/activation.js";
import type { IndexEntry } from "../definition.js";
import type { ActorWrite, ChannelEvent, OutboxTell, PublishedEvent, RememberedCommand, TimerRow } from "../ports.js";
import { isSame } from "../shard.js";

/** What the write was made from, to be taken over by the activation once it is committed. */
export interface PreparedWrite {
  readonly actor: Activation;
  /** Runs at the front of `pending` that this write carries. */
  readonly runs: number;
  readonly write: ActorWrite;
  readonly coldValues: readonly unknown[];
  readonly index: IndexEntry | null | undefined;
}

const NONE: readonly never[] = [];

/** Throws when the state cannot be encoded. Precondition: at least one of the first `mostRuns` runs is dirty. */
export function prepareWrite(actor: Activation, mostRuns: number): PreparedWrite {
  const runs = prefix(actor, mostRuns);
  const commands: RememberedCommand[] = [];
  let tells: OutboxTell[] | null = null;
  let events: PublishedEvent[] | null = null;
  let pushes: ChannelEvent[] | null = null;
  let trims: { channel: string; offset: number }[] | null = actor.trims;
  let timers: Map<string, TimerRow | null> | null = null;
  let claims: Map<string, { claim: string; value: string; held: boolean }> | null = null;
  for (let i = 0; i < runs; i++) {
    const unit = actor.pending[i]!;
    if (!unit.dirty) continue;
    if (unit.remembered !== null) commands.push(unit.remembered);
    const recorded = unit.recorded;
    if (recorded === null) continue;
    if (recorded.ahead !== null) forgetAnswered(actor, i, runs);
    if (recorded.tells !== null) tells = append(tells, recorded.tells);
    if (recorded.events !== null) events = append(events, recorded.events);
    if (recorded.pushes !== null) pushes = append(pushes, recorded.pushes);
    if (recorded.trims !== null)
      trims = append(trims === actor.trims && trims !== null ? [...trims] : trims, recorded.trims);
    if (recorded.timers !== null) {
      timers ??= new Map();
      for (const [name, row] of recorded.timers) timers.set(name, row);
    }
    if (recorded.releases !== null || recorded.claims !== null) {
      claims ??= new Map();
      for (const one of recorded.releases ?? NONE)
        claims.set(`${one.claim}\u0000${one.value}`, { ...one, held: false });
      for (const one of recorded.claims ?? NONE) claims.set(`${one.claim}\u0000${one.value}`, { ...one, held: true });
    }
  }
  if (pushes !== null) trims = boundKept(actor, pushes, trims);
  const newest = actor.pending[runs - 1]!;
  const { hot, coldValues } = splitState(actor.kind, newest.state);
  const coldChanged = actor.coldValues === null || coldValues.some((value, i) => value !== actor.coldValues?.[i]);
  const timersSet: TimerRow[] = [];
  const timersCancelled: string[] = [];
  if (timers !== null) {
    for (const [name, row] of timers) {
      if (row === null) timersCancelled.push(name);
      else timersSet.push(row);
    }
  }
  const index = actor.kind.definition.index?.(newest.state, actor.key);
  const indexChanged = index !== undefined && (actor.index === undefined || !sameEntry(index, actor.index));
  // Rows are read by name some dozens of times: names are set one by one, for an object that is spread into is a slow one.
  const write: { -readonly [Name in keyof ActorWrite]: ActorWrite[Name] } = {
    kind: actor.kind.name,
    key: actor.key,
    shard: actor.shard,
    expectedSeq: actor.committedSeq,
    seq: newest.seq,
    version: actor.kind.definition.version,
    // Gone once it is committed.
    state: encodePassing(hot),
    commands,
    tells: tells ?? NONE,
    timersSet,
    timersCancelled,
    events: events ?? NONE,
    pushes: pushes ?? NONE,
    trims: trims === null ? NONE : furthest(trims),
    claims: claims === null ? NONE : [...claims.values()].filter((one) => one.held).map(bare),
    releases: claims === null ? NONE : [...claims.values()].filter((one) => !one.held).map(bare),
  };
  if (coldChanged && coldValues.length > 0) write.cold = encodePassing(coldOf(actor.kind, coldValues));
  if (indexChanged) write.index = index;
  return { actor, runs, write, coldValues, index };
}

const bare = (one: { claim: string; value: string }): { claim: string; value: string } => ({
  claim: one.claim,
  value: one.value,
});

/**
 * How many runs go together. A name that one run claims and a later one releases must be judged by the store in
 * between, so the later run waits for the next flush.
 */
function prefix(actor: Activation, mostRuns: number): number {
  const end = Math.min(actor.pending.length, mostRuns);
  let claimed: Set<string> | null = null;
  for (let i = 0; i < end; i++) {
    const recorded = actor.pending[i]!.recorded;
    if (recorded === null) continue;
    if (claimed !== null && recorded.releases?.some((one) => claimed?.has(`${one.claim}\u0000${one.value}`))) return i;
    if (recorded.claims !== null) {
      claimed ??= new Set();
      for (const one of recorded.claims) claimed.add(`${one.claim}\u0000${one.value}`);
    }
  }
  return end;
}

/**
 * What was told ahead and has been answered by a later run of the same write needs no keeping. Other words of its
 * receiver are no answer: they may have crossed a question that was lost.
 */
function forgetAnswered(actor: Activation, run: number, runs: number): void {
  const { recorded } = actor.pending[run]!;
  if (recorded === null) return;
  const answered = recorded.ahead?.filter(({ tell, answeredBy }) => {
    for (let i = run + 1; i < runs; i++) {
      const { dirty, delivery } = actor.pending[i]!;
      const { from, name } = delivery;
      if (dirty && from !== null && isSame(from, tell.to) && answeredBy.includes(name)) return true;
    }
    return false;
  });
  recorded.ahead = null;
  if (answered === undefined || answered.length === 0) return;
  const gone = new Set(answered.map(({ tell }) => tell));
  const left = (recorded.tells ?? []).filter((tell) => !gone.has(tell));
  recorded.tells = left.length === 0 ? null : left;
}

function append<T>(list: T[] | null, more: readonly T[]): T[] {
  if (list === null) return [...more];
  for (const item of more) list.push(item);
  return list;
}

/** Events beyond a channel's `keep` leave the store, a quarter of it at a time. */
function boundKept(
  actor: Activation,
  pushes: readonly ChannelEvent[],
  trims: { channel: string; offset: number }[] | null,
): { channel: string; offset: number }[] | null {
  let bounded = trims;
  const seen = new Set<string>();
  for (let i = pushes.length - 1; i >= 0; i--) {
    const push = pushes[i]!;
    if (seen.has(push.channel)) continue;
    seen.add(push.channel);
    const channel = actor.channel(push.channel);
    if (channel === undefined || channel.definition.archive === true) continue;
    const keep = keepOf(channel.definition);
    if (push.offset - channel.trimmedTo <= keep + Math.ceil(keep / 4)) continue;
    bounded = [...(bounded ?? []), { channel: push.channel, offset: push.offset - keep }];
  }
  return bounded;
}

/** One a channel, as no store takes two: what the runs say, what a reader has acknowledged, and what is beyond `keep`. */
function furthest(trims: readonly { channel: string; offset: number }[]): ActorWrite["trims"] {
  if (trims.length === 1) return trims;
  const offsets = new Map<string, number>();
  for (const { channel, offset } of trims) offsets.set(channel, Math.max(offset, offsets.get(channel) ?? offset));
  return Array.from(offsets, ([channel, offset]) => ({ channel, offset }));
}

function splitState(kind: KindRuntime, state: unknown): { hot: unknown; coldValues: readonly unknown[] } {
  if (kind.coldKeys.length === 0 || typeof state !== "object" || state === null)
    return { hot: state, coldValues: NONE };
  const source = state as Record<string, unknown>;
  const hot: Record<string, unknown> = {};
  for (const key in source) if (!kind.coldKeys.includes(key)) hot[key] = source[key];
  return { hot, coldValues: kind.coldKeys.map((key) => source[key]) };
}

function coldOf(kind: KindRuntime, values: readonly unknown[]): Record<string, unknown> {
  const cold: Record<string, unknown> = {};
  kind.coldKeys.forEach((key, i) => {
    if (values[i] !== undefined) cold[key] = values[i];
  });
  return cold;
}

function sameEntry(a: IndexEntry | null, b: IndexEntry | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.scope === b.scope &&
    a.owner === b.owner &&
    a.counterparty === b.counterparty &&
    a.status === b.status &&
    a.live === b.live &&
    a.at === b.at &&
    sameJson(a.view, b.view)
  );
}

/** Equal as JSON. A property that is undefined counts as absent. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => sameJson(item, b[i]));
  }
  const one = a as Record<string, Json | undefined>;
  const other = b as Record<string, Json | undefined>;
  for (const key in one) if (!sameJson(one[key], other[key])) return false;
  for (const key in other) if (other[key] !== undefined && one[key] === undefined) return false;
  return true;
}
