/** Rules that the commits themselves show, by the database's own order: 2, 4, 15. Without that evidence they say nothing. */
import type { Committed, EvidenceIndex, Rule, Violation } from "../evidence.js";

const MOST_LINES = 12;

/**
 * RULES 4: at most one epoch can commit for an actor; a stale epoch commits nothing. Each commit is its shard's owner's,
 * under the epoch the database has; it builds on the commit before it; an epoch is one process's.
 */
export const oneEpochCommits: Rule = {
  name: "rule-04-one-epoch-commits",
  check(index) {
    const found: Violation[] = [];
    const writers = new Map<string, Committed>();
    const newest = new Map<string, Committed>();
    for (const commit of index.commits ?? []) {
      const actor = `${commit.kind}/${commit.key}`;
      const before = newest.get(actor);
      newest.set(actor, commit);
      const underEpoch = `${commit.shard} ${commit.epoch}`;
      const writer = writers.get(underEpoch) ?? commit;
      writers.set(underEpoch, writer);
      const problem =
        commit.epoch !== commit.owner.epoch || commit.node !== commit.owner.node
          ? `was committed by ${commit.process} under epoch ${commit.epoch} of shard ${commit.shard}, which was ${commit.owner.node}'s under epoch ${commit.owner.epoch}`
          : commit.seqBefore !== (before?.seq ?? 0) || commit.seq <= commit.seqBefore
            ? `went from version ${before?.seq ?? 0} to version ${commit.seq}, which builds on ${commit.seqBefore}`
            : before !== undefined && commit.epoch < before.epoch
              ? `was committed under epoch ${commit.epoch} after epoch ${before.epoch}`
              : writer.process !== commit.process
                ? `was committed by ${commit.process} under epoch ${commit.epoch} of shard ${commit.shard}, under which ${writer.process} had committed`
                : null;
      if (problem !== null) found.push(violation(this.name, index, commit, problem));
    }
    return found;
  },
};

/** RULES 2, for every message and command: what was done under an id is remembered, and not done again. */
export const commandRunsOnce: Rule = {
  name: "rule-02-command-runs-once",
  check(index) {
    const found: Violation[] = [];
    for (const commits of index.commitsByActor.values()) {
      const done = new Map<string, Committed>();
      for (const commit of commits) {
        for (const id of commit.commandIds) {
          const first = done.get(id);
          if (first === undefined) {
            done.set(id, commit);
            continue;
          }
          const problem = `did ${id} with version ${first.seq} and again with version ${commit.seq}`;
          found.push(violation(this.name, index, commit, problem));
        }
      }
    }
    return found;
  },
};

/** RULES 15, where it begins: what is said on a reliable channel is numbered without gap or repeat. */
export const offsetsWithoutHoles: Rule = {
  name: "rule-15-offsets-without-holes",
  check(index) {
    const found: Violation[] = [];
    for (const commits of index.commitsByActor.values()) {
      const tops = new Map<string, number>();
      for (const commit of commits) {
        for (const { channel, offset } of commit.pushes) {
          const top = tops.get(channel) ?? 0;
          tops.set(channel, Math.max(top, offset));
          if (offset === top + 1) continue;
          found.push(violation(this.name, index, commit, `said ${offset} on ${channel} after ${top}`));
        }
      }
    }
    return found;
  },
};

function violation(rule: string, index: EvidenceIndex, commit: Committed, problem: string): Violation {
  const actor = `${commit.kind}/${commit.key}`;
  const all = index.commitsByActor.get(actor) ?? [];
  const here = all.indexOf(commit);
  return {
    rule,
    subject: actor,
    summary: `${actor} ${problem}`,
    story: all.slice(Math.max(0, here + 1 - MOST_LINES), here + 1).map(line),
  };
}

const line = ({ at, process, seqBefore, seq, shard, epoch, owner }: Committed): string =>
  `${new Date(at).toISOString().slice(11, 23)} ${process} commits version ${seq} on ${seqBefore} (shard ${shard}, epoch ${epoch}; owner ${owner.node}, epoch ${owner.epoch})`;
