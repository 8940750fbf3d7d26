/** The evidence as the checkers want it: what the database, the stream and the samples say, in their words. */
import type { Committed, EventId, Evidence } from "../../checkers/mod.js";
import type { VirtualEvidence } from "../ports.js";

/** Clocks are right up to this, faults aside. */
const CALM_SKEW_MS = 100;
/** What the faults may do to two clocks: both skewed, or one jumped and the other skewed. */
const SKEWED_MS = 900;
const JUMPED_MS = 2_500;

/** As the client's heartbeat has it: one and a half of the node's, a second, and the way back. */
const NOTICE_MS = 30_000;

/** How far apart two clocks of this seed may have been. */
export function skewOf({ faults }: VirtualEvidence): number {
  if (faults.clock_jump > 0) return JUMPED_MS;
  return faults.clock_skew > 0 || faults.clock_drift > 0 ? SKEWED_MS : CALM_SKEW_MS;
}

export function committedOf({ commits }: VirtualEvidence): readonly Committed[] {
  return commits.map(({ at, node, life, epoch, owner, write }) => ({
    at,
    kind: write.kind,
    key: write.key,
    shard: write.shard,
    process: life,
    node,
    epoch,
    owner,
    seqBefore: write.expectedSeq,
    seq: write.seq,
    commandIds: write.commands.map((command) => command.id),
    pushes: write.pushes.map(({ channel, offset, type }) => ({ channel, offset, type })),
  }));
}

export function completed(found: VirtualEvidence): Evidence {
  const { commits, received, bounds, end, times, evidence } = found;
  const committed = commits.flatMap(({ at, write: { kind, key, events } }) =>
    events.map(({ offset }): EventId => ({ kind, key, offset, at })),
  );
  return {
    ...evidence,
    bounds: {
      clockSkewMs: skewOf(found),
      noticeMs: NOTICE_MS,
      ...evidence.bounds,
    },
    healedAt: times.healedAt,
    atRest: end.unsettled.length === 0 && end.unsentTells.length === 0,
    commits: committedOf(found),
    events: { committed, received },
    samples: bounds,
  };
}
