/** What a gateway thread has answered, refused and closed, for `/metrics`: nothing else tells of a node that answers 500. */
import type { Gateway } from "../gateway/mod.js";
import type { Counter, Metrics } from "../lib/metrics.js";

type Counts = Readonly<Record<string, number>>;
type Stats = Pick<ReturnType<Gateway["stats"]>, "httpStatuses" | "errors" | "closes">;

/** Returns what brings the figures up to date, to be called when somebody looks: nothing is counted twice on the way. */
export function measureGateway(metrics: Metrics, stats: () => Stats): () => void {
  const answers = follower(
    "status",
    metrics.counter({
      name: "swift_gateway_answers_total",
      help: "HTTP requests that were answered, by status.",
      labels: ["status"],
    }),
  );
  const refusals = follower(
    "code",
    metrics.counter({
      name: "swift_gateway_refusals_total",
      help: "HTTP requests and frames of sockets that were refused, by error code.",
      labels: ["code"],
    }),
  );
  const closes = follower(
    "code",
    metrics.counter({
      name: "swift_gateway_closes_total",
      help: "Sockets that were closed, by close code, or client where their clients did it.",
      labels: ["code"],
    }),
  );
  return () => {
    const { httpStatuses, errors, closes: closed } = stats();
    answers(httpStatuses);
    refusals(errors);
    closes(closed);
  };
}

/** Adds to a counter what has been counted elsewhere since the last time. */
function follower(label: string, counter: Counter): (counts: Counts) => void {
  const known = new Map<string, number>();
  return (counts) => {
    for (const [value, count] of Object.entries(counts)) {
      const more = count - (known.get(value) ?? 0);
      if (more <= 0) continue;
      known.set(value, count);
      counter.add(more, { [label]: value });
    }
  };
}
