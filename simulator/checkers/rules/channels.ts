/**
 * RULES 15, between the database and the clients: what a subscription starts from was committed, and who listens to the
 * end has heard everything. Needs the commits.
 */
import { CHANNELS } from "../../../src/protocol/mod.js";
import { clockSkewMs, type EvidenceIndex, type Rule, settledUntil, type Violation } from "../evidence.js";

const MOST_LINES = 12;

export const channelsMatchCommits: Rule = {
  name: "rule-15-channels-match-commits",
  check(index) {
    const found: Violation[] = [];
    if (index.commits === undefined) return found;
    for (const { stream, receivedAt, top } of index.history.starts) {
      const actor = actorOf(stream);
      if (actor === null) continue;
      const committed = topAt(index, actor, receivedAt + clockSkewMs(index));
      if (top <= committed) continue;
      const problem = `starts after event ${top}; the last that was committed is ${committed}`;
      found.push(violation(index, stream, actor, receivedAt, problem));
    }
    const until = settledUntil(index);
    if (until === null) return found;
    for (const { stream, offset, open } of index.history.channels) {
      const actor = actorOf(stream);
      if (actor === null || !open) continue;
      const committed = topAt(index, actor, until);
      if (offset >= committed) continue;
      const problem = `has heard up to event ${offset}; ${committed} is committed and everything is at rest`;
      found.push(violation(index, stream, actor, index.endedAt, problem));
    }
    return found;
  },
};

interface ChannelOf {
  readonly actor: string;
  readonly channel: string;
}

/** `driver:d-1`, or `driver:d-1#2` for the second app of the same account. */
function actorOf(stream: string): ChannelOf | null {
  const [, family, key] = /^(driver|restaurant):([^#]+)(#\d+)?$/.exec(stream) ?? [];
  if (family === undefined || key === undefined) return null;
  const { actor, channel } = CHANNELS[family as "driver" | "restaurant"];
  return { actor: `${actor}/${key}`, channel };
}

function topAt(index: EvidenceIndex, { actor, channel }: ChannelOf, until: number): number {
  let top = 0;
  for (const { at, pushes } of index.commitsByActor.get(actor) ?? []) {
    if (at > until) break;
    for (const push of pushes) if (push.channel === channel) top = Math.max(top, push.offset);
  }
  return top;
}

function violation(
  index: EvidenceIndex,
  stream: string,
  { actor, channel }: ChannelOf,
  at: number,
  problem: string,
): Violation {
  const said = (index.commitsByActor.get(actor) ?? []).flatMap((commit) =>
    commit.pushes
      .filter((push) => push.channel === channel)
      .map((push) => `${stamp(commit.at)} ${commit.process} commits event ${push.offset} ${push.type} of ${actor}`),
  );
  const heard = index.history.starts
    .filter((start) => start.stream === stream)
    .map(
      ({ receivedAt, top, recovered }) =>
        `${stamp(receivedAt)} ${stream} starts after event ${top}${recovered ? ", going on where it was" : ""}`,
    );
  return {
    rule: "rule-15-channels-match-commits",
    subject: stream,
    summary: `${stream} ${problem}`,
    story: [...said.slice(-MOST_LINES), ...heard.slice(-MOST_LINES), `${stamp(at)} ${stream} ${problem}`].sort(),
  };
}

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);
