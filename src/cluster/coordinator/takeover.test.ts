import t from "tap";
import { recordingLog } from "../../lib/log.js";
import type { ClusterView, OwnershipSession, ShardRow } from "../ports.js";
import type { Holdings } from "./holdings.js";
import type { Members } from "./members.js";
import type { Sequence } from "./sequence.js";
import { createTakeover } from "./takeover.js";

t.test("R-OPS-3: that shards were taken is said once, with whose they were and why", async (t) => {
  const log = recordingLog();
  const taken: number[] = [];
  const session = {
    take: async (wanted: readonly { shard: number; expectedEpoch: number }[]) =>
      new Map(wanted.map(({ shard, expectedEpoch }) => [shard, expectedEpoch + 1])),
  } as unknown as OwnershipSession;
  const takeover = createTakeover({
    self: "a",
    takeAtOnce: 2,
    members: {
      desiredOwner: (shard: number) => (shard < 5 ? "a" : "c"),
      gone: (node: string) => (node === "b" ? "session" : null),
    } as unknown as Members,
    holdings: { get: () => null, grant: () => undefined } as unknown as Holdings,
    sequence: { touchedSince: () => false } as unknown as Sequence,
    session: () => session,
    log,
    onTaken: (epochs) => void taken.push(...epochs.keys()),
  });
  const row = (shard: number, node: string): ShardRow => ({ shard, epoch: 3, node }) as unknown as ShardRow;
  const view = { shards: [0, 1, 2, 3, 4].map((shard) => row(shard, "b")) } as unknown as ClusterView;
  takeover.look(view, 0, [], 0);
  await takeover.settled();
  t.strictSame(taken, [0, 1, 2, 3, 4]);
  t.strictSame(
    log.lines.map(({ level, fields }) => [level, fields]),
    [["info", { shards: 5, from: ["b"], why: "session" }]],
  );
});
