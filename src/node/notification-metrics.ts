/** What this node's notifier has done, for `/metrics`. */
import type { Metrics } from "../lib/metrics.js";
import type { Notifier } from "../services/notifications/mod.js";

export function measureNotifier(metrics: Metrics, stats: () => ReturnType<Notifier["stats"]>): void {
  metrics.gaugeOf(
    { name: "swift_notifications_planned_count", help: "Messages to people that events have led to." },
    () => stats().planned,
  );
  metrics.gaugeOf(
    { name: "swift_notifications_sent_count", help: "Messages that a provider has taken." },
    () => stats().sent,
  );
  metrics.gaugeOf(
    { name: "swift_notifications_retried_count", help: "Tries that failed and are repeated." },
    () => stats().retried,
  );
  metrics.gaugeOf(
    { name: "swift_notifications_dropped_count", help: "Messages that nobody wanted to hear any more." },
    () => stats().dropped,
  );
  metrics.gaugeOf({ name: "swift_notifications_dead_count", help: "Messages that were given up." }, () => stats().dead);
}
