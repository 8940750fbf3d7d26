/** What the engine of a shard worker does and what waits in it, for `/metrics`: a store that is slow shows here first. */
import type { ActorStore, HostStats } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Counter, Metrics } from "../lib/metrics.js";

/**
 * Returns what brings the counters up to date, to be called when somebody looks: nothing is counted twice on the way.
 * `stats` is read then, too, for what waits.
 */
export function measureEngine(metrics: Metrics, stats: () => HostStats): () => void {
  const gauge = (name: string, help: string, read: (stats: HostStats) => number): void =>
    metrics.gaugeOf({ name, help }, () => read(stats()));
  for (const { name, help, of } of WAITING) gauge(name, help, of);
  const followers = COUNTED.map(({ name, help, of }) => follower(metrics.counter({ name, help }), of));
  return () => {
    const now = stats();
    for (const follow of followers) follow(now);
  };
}

interface Figure {
  readonly name: string;
  readonly help: string;
  readonly of: (stats: HostStats) => number;
}

const WAITING: readonly Figure[] = [
  { name: "swift_engine_actors_count", help: "Actors in memory.", of: (stats) => stats.actors },
  { name: "swift_engine_loading_count", help: "Actors that are being read.", of: (stats) => stats.loading },
  { name: "swift_engine_mailbox_count", help: "Messages that wait for their actor.", of: (stats) => stats.queued },
  {
    name: "swift_engine_tells_waiting_count",
    help: "Messages between actors that are sent until they are answered.",
    of: (stats) => stats.tellsWaiting,
  },
  {
    name: "swift_engine_effects_waiting_count",
    help: "What actors have asked of the world, payments for instance, and not heard of yet.",
    of: (stats) => stats.effectsWaiting,
  },
  { name: "swift_engine_timers_count", help: "Timers that will go off.", of: (stats) => stats.timersArmed },
  {
    name: "swift_engine_store_stalled_count",
    help: "Whether the database takes nothing of what this thread commits: 1 or 0.",
    of: (stats) => (stats.storeStalled ? 1 : 0),
  },
];

const COUNTED: readonly Figure[] = [
  { name: "swift_engine_runs_total", help: "Messages that actors have handled.", of: (stats) => stats.handlerRuns },
  {
    name: "swift_engine_throws_total",
    help: "Messages whose handler threw: a fault of the program.",
    of: (stats) => stats.handlerThrows,
  },
  {
    name: "swift_engine_overloaded_total",
    help: "Messages that were refused because their actor's mailbox was full.",
    of: (stats) => stats.overloaded,
  },
  { name: "swift_engine_commits_total", help: "Commits of actors.", of: (stats) => stats.actorCommits },
  {
    name: "swift_engine_flushes_total",
    help: "Writes to the database, each with the commits of one or many actors.",
    of: (stats) => stats.flushes,
  },
  {
    name: "swift_engine_flush_failures_total",
    help: "Writes that the database did not take or whose answer was lost; they are tried again.",
    of: (stats) => stats.flushFailures,
  },
];

/** Adds to a counter what has been counted elsewhere since the last time. */
function follower(counter: Counter, of: (stats: HostStats) => number): (stats: HostStats) => void {
  let known = 0;
  return (stats) => {
    const more = of(stats) - known;
    if (more <= 0) return;
    known += more;
    counter.add(more);
  };
}

/** The same store, and how long each write takes until it answers: two readings of the clock and one count a write. */
export function timedStore(store: ActorStore, metrics: Metrics, clock: Pick<Clock, "monotonic">): ActorStore {
  const took = metrics.histogram({
    name: "swift_engine_flush_ms",
    help: "How long a write to the database took until it was answered.",
  });
  const flush: ActorStore["flush"] = async (batch) => {
    const began = clock.monotonic();
    try {
      return await store.flush(batch);
    } finally {
      took.observe(clock.monotonic() - began);
    }
  };
  return { ...store, flush };
}
