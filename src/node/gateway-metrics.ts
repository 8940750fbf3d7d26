/** What a gateway thread has answered, refused and closed, for `/metrics`: nothing else tells of a node that answers 500. */

import type { ActorClient } from "../actors/runtime/mod.js";
import type { Gateway } from "../gateway/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Counter, Metrics } from "../lib/metrics.js";

type Counts = Readonly<Record<string, number>>;
type Stats = Pick<ReturnType<Gateway["stats"]>, "httpStatuses" | "errors" | "closes">;

/** Returns what brings the figures up to date, to be called when somebody looks: nothing is counted twice on the way. */
export function measureGateway(metrics: Metrics, stats: () => Stats): () => void {
  const answered = metrics.counter({
    name: "swift_gateway_answers_total",
    help: "HTTP requests that were answered, by status.",
    labels: ["status"],
  });
  // A series that begins at 1 has not risen, as Prometheus sees it: the first fault would not be noticed.
  answered.add(0, { status: "500" });
  const answers = follower("status", answered);
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

/**
 * The same client, and how long what people ask of actors takes: by kind of actor, so that a slow kitchen does not hide
 * behind many drivers. What may wait for company, positions before all, does not count.
 */
export function timedClient<C extends Pick<ActorClient, "ask" | "askThen">>(
  client: C,
  metrics: Metrics,
  clock: Pick<Clock, "monotonic">,
): C {
  const took = metrics.histogram({
    name: "swift_gateway_ask_ms",
    help: "How long requests to actors took until they were answered, by kind of actor; positions apart.",
    labels: ["actor"],
  });
  return {
    ...client,
    async ask(to, key, name, input, options) {
      const began = clock.monotonic();
      const answer = await client.ask(to, key, name, input, options);
      took.observe(clock.monotonic() - began, { actor: to.kind });
      return answer;
    },
    askThen(to, key, name, input, options, answered) {
      if (options.mayWait === true) {
        client.askThen(to, key, name, input, options, answered);
        return;
      }
      const began = clock.monotonic();
      client.askThen(to, key, name, input, options, (answer) => {
        took.observe(clock.monotonic() - began, { actor: to.kind });
        answered(answer);
      });
    },
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
