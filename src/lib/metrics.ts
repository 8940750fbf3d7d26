/**
 * Counting and measuring as every part sees it. The registry behind it is `src/telemetry`; a part asks for its
 * instruments once, when it is built, and touches only numbers afterwards.
 *
 * Names follow Prometheus: `swift_<part>_<what>_<unit>` and counters end in `_total`. Labels are few and their values
 * come from a fixed set (a command's name, a code): never an id, or memory grows with the city.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds `amount` (default 1, never negative). */
  add(amount?: number, labels?: Labels): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  /** Records one value, in the unit that the name ends with. */
  observe(value: number, labels?: Labels): void;
}

export interface InstrumentOptions {
  readonly name: string;
  /** A sentence for whoever reads `/metrics`. */
  readonly help: string;
  /** The names of the labels; every use must give exactly these. */
  readonly labels?: readonly string[];
}

export interface HistogramOptions extends InstrumentOptions {
  /** Upper bounds, ascending, in the unit of the name. Default: `MILLISECOND_BUCKETS`. */
  readonly buckets?: readonly number[];
}

/** For latencies in milliseconds, from one event-loop turn to a client's patience. */
export const MILLISECOND_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;

export interface Metrics {
  /** Asking twice for one name gives the same instrument. */
  counter(options: InstrumentOptions): Counter;
  gauge(options: InstrumentOptions): Gauge;
  /** A gauge that is read when somebody looks: for sizes of maps and queues. The newest `read` of a name wins. */
  gaugeOf(options: InstrumentOptions, read: () => number): void;
  histogram(options: HistogramOptions): Histogram;
}

const nothing = (): void => {};

/** Counts nothing: for tests and tools that nobody watches. */
export const silentMetrics: Metrics = {
  counter: () => ({ add: nothing }),
  gauge: () => ({ set: nothing }),
  gaugeOf: nothing,
  histogram: () => ({ observe: nothing }),
};
