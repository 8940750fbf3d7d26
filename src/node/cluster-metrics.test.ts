import t from "tap";
import type { CoordinatorStatus } from "../cluster/mod.js";
import { createMetrics, metricsText } from "../telemetry/mod.js";
import { measureCluster } from "./cluster-metrics.js";

const member = (node: string, leaseLeftMs: number, hasSession: boolean): CoordinatorStatus["members"][number] => ({
  node,
  incarnation: node,
  workers: 1,
  url: "http://127.0.0.1:1",
  state: "active",
  leaseLeftMs,
  hasSession,
  joined: 1,
  seen: 1,
});

t.test("R-OPS-3: a member that has died is none, though its row stands for a day", async (t) => {
  let members = [member("a", 9_000, true), member("b", 9_500, true), member("c", 8_000, true)];
  const metrics = createMetrics("main");
  const status = (): CoordinatorStatus =>
    ({ members, shards: [1, 2], leaseLeftMs: 9_000 }) as unknown as CoordinatorStatus;
  measureCluster(metrics, status, () => null);
  const count = async (): Promise<string | undefined> =>
    /^swift_cluster_members_count\S* (\d+)$/m.exec(await metricsText([await metrics.snapshot()]))?.[1];
  t.equal(await count(), "3");
  members = [member("a", 9_000, true), member("b", 7_000, false), member("c", -1_900_000, false)];
  t.equal(await count(), "1", "nor one whose session has ended");
});
