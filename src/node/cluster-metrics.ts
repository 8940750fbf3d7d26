/** What a member of a cluster tells about itself on `/metrics`, from the thread that knows it: the main one. */
import type { CoordinatorStatus, EventRelayStats } from "../cluster/mod.js";
import type { Metrics } from "../lib/metrics.js";

export function measureCluster(
  metrics: Metrics,
  cluster: () => CoordinatorStatus | null,
  events: () => EventRelayStats | null,
): void {
  metrics.gaugeOf(
    {
      name: "swift_cluster_members_count",
      help: "Members of the cluster that live, as this node sees them; 0 on a lone node.",
    },
    // The row of one that died stands for a day.
    () => cluster()?.members.filter(({ hasSession, leaseLeftMs }) => hasSession && leaseLeftMs > 0).length ?? 0,
  );
  metrics.gaugeOf(
    { name: "swift_cluster_shards_count", help: "Shards that this member serves; 0 on a lone node, which has all." },
    () => cluster()?.shards.length ?? 0,
  );
  metrics.gaugeOf(
    { name: "swift_cluster_lease_left_ms", help: "How long this member may still speak without a heartbeat." },
    () => cluster()?.leaseLeftMs ?? 0,
  );
  metrics.gaugeOf(
    {
      name: "swift_cluster_clock_skew_ms",
      help: "How much this member's clock is surely ahead of the database's; negative where it is behind.",
    },
    () => cluster()?.clockSkewMs ?? 0,
  );
  metrics.gaugeOf(
    { name: "swift_cluster_handoff_pause_ms", help: "How long planned moves paused a shard, at quantile 0.99." },
    () => cluster()?.pauses?.p99 ?? 0,
  );
  metrics.gaugeOf(
    { name: "swift_events_waiting_count", help: "Committed events of this member's shards that no stream has yet." },
    () => events()?.lag?.waiting ?? 0,
  );
  metrics.gaugeOf(
    { name: "swift_events_oldest_age_ms", help: "Age of the oldest event that waits for its stream." },
    () => events()?.lag?.oldestAgeMs ?? 0,
  );
}
