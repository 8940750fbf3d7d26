/**
 * The harness' words. A *scenario* puts the same load, in turns and in several rounds, on *sides*: ours, the limit (what
 * the bare machine does with the same bytes and no logic) and the peers. Everything that is judged is a ratio of two sides
 * of one run, because ratios carry to other machines.
 */
import type { RuntimeGauges } from "./program-messages.js";

/** What a run offers to its sides. */
export interface Stage {
  /** How long one measurement takes. */
  readonly seconds: number;
  /** Multiplies the numbers of people: 1 is what the goals speak of. */
  readonly scale: number;
  /** Where our nodes write CPU profiles; null: nowhere. */
  readonly profileDirectory: string | null;
  /** `count` times the scale, at least `least`. */
  scaled(count: number, least?: number): number;
  note(line: string): void;
  /** A new, empty database on the run's own PostgreSQL server, which is durable as in production. */
  database(name: string): Promise<string>;
  /** A process of that server, for its processor time. Starts it when nobody has. */
  databasePid(): Promise<number>;
  /** Asks the run's own database, or another one on that server. */
  query<Row extends object>(text: string, databaseUrl?: string): Promise<readonly Row[]>;
  /** How much that server has ever written to its log. */
  databaseLogBytes(): Promise<number>;
  /** The run's own Redis, without a disk. */
  redis(): Promise<string>;
  /** A directory that stays until the whole run ends, for data that several scenarios read. The same for the same name. */
  directory(name: string): string;
  /** Runs when the scenario is over, however far its sides came. */
  atEnd(run: () => Promise<void>): void;
}

/** What one measurement of one side came to. */
export interface Sample {
  /** What was done, in the unit that costs are counted by. */
  readonly operations: number;
  readonly seconds: number;
  /** From the intended time, encoded (`bench/lib/histogram.ts`); null when there is nothing to wait for. */
  readonly latency: string | null;
  /** How late the load was, encoded; null when load and side are one loop and no time is intended. */
  readonly lag: string | null;
  readonly figures?: Readonly<Record<string, number>>;
  /** What was not as it must be: refused, lost, wrong. */
  readonly problems: readonly string[];
  /** Figures that could not be had this time, and why: nothing was wrong with the side. */
  readonly unusable?: readonly string[];
}

export interface RunningSide {
  /** The server's own processes that serve a load: their time and memory is what it costs. */
  pids(load: string): readonly number[];
  /** A server that it works with, its children included (a database); told apart. */
  readonly databasePid?: number;
  /** Before a load: what belongs to it and is not its cost (connections, a pace that settles). */
  prepare?(load: string): Promise<void>;
  /** After it: quiet, so that the other sides have the machine. */
  rest?(): Promise<void>;
  /** Puts one of the scenario's loads on. */
  load(load: string, seconds: number): Promise<Sample>;
  /** Since it was last asked. */
  gauges?(): Promise<RuntimeGauges>;
  /** After the last round: what the truth says of what the clients were told, and what is measured once. */
  finish?(): Promise<{ readonly figures: Readonly<Record<string, number>>; readonly problems: readonly string[] }>;
  stop(): Promise<void>;
}

export type Role = "ours" | "limit" | "peer";

export interface Side {
  readonly role: Role;
  /** `ours`, `bare`, or the peer's. Unique in its scenario. */
  readonly name: string;
  readonly what: string;
  /** When only some of the scenario's loads make sense. */
  readonly loads?: readonly string[];
  start(): Promise<RunningSide>;
}

/** Numbers of one side under one load. */
export type Figures = Readonly<Record<string, number>>;

export interface SideResult {
  readonly role: Role;
  readonly name: string;
  readonly what: string;
  /** By load: medians over the valid rounds. */
  readonly loads: Readonly<Record<string, Figures>>;
  /** By load and figure: the value of every valid round. */
  readonly byRound: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly problems: readonly string[];
  /** Measurements, or figures of them, that count for nothing. */
  readonly late: readonly string[];
}

/** Reads a figure of a side; null when it was not measured. */
export type Look = (side: string, figure: string, load?: string) => number | null;

export interface Goal {
  /** As in the table of goals. */
  readonly what: string;
  readonly unit: "×" | "ms" | "%" | "/s" | "";
  readonly better: "lower" | "higher";
  readonly atLeast: number;
  readonly ambition: number;
  readonly value: (look: Look) => number | null;
}

export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** The loads' names, mildest first. One load: its name is not shown. */
  readonly loads: readonly string[];
  /** What an operation is, for costs. */
  readonly operation: string;
  readonly warmUpSeconds: number;
  /**
   * How often a side is warmed up at most, under all its loads each time; it ends when an operation gets no cheaper. Once
   * when not given. V8 compiles late what runs seldom: a program of much code that serves a few dozen operations a second
   * is at work on its compilation for a minute.
   */
  readonly mostWarmUps?: number;
  /** A round whose generators' p99 is later than this counts for nothing. */
  readonly lagBoundMs: number;
  /** Sentences for whoever reads the report: why one round, why so long. */
  readonly remarks?: readonly string[];
  /** True: what a process does without load is taken off its cost. */
  readonly withoutIdle: boolean;
  /**
   * True: one side stands at a time and has the whole machine. Where thousands of lines are held, answering their
   * heartbeats would be a load on the side that is measured. All rounds of a side then follow one another.
   */
  readonly apart?: boolean;
  /** Rounds, where the run's own number is too many or too few. */
  readonly rounds?: number;
  /** How long a measurement is at most, where more tells no more. */
  readonly mostSeconds?: number;
  /** How long a measurement has to be at least, where what is measured comes seldom; times the scale. */
  readonly leastSeconds?: number;
  /** In this order they are started; later ones may read what earlier ones made. */
  sides(stage: Stage): readonly Side[];
  readonly goals: readonly Goal[];
  /** As the table of goals defines it; the worse one of several. */
  ratioToLimit(look: Look): number | null;
}

export interface GoalResult {
  readonly what: string;
  readonly unit: Goal["unit"];
  readonly better: Goal["better"];
  readonly atLeast: number;
  readonly ambition: number;
  readonly value: number | null;
  /** Least and most over the rounds. */
  readonly spread: readonly [number, number] | null;
}

export interface ScenarioResult {
  readonly name: string;
  readonly what: string;
  readonly operation: string;
  readonly remarks: readonly string[];
  readonly loads: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly scale: number;
  readonly sides: readonly SideResult[];
  readonly goals: readonly GoalResult[];
  readonly ratioToLimit: number | null;
  readonly generatorLagP99Ms: number | null;
  /** Measurements that count for nothing because their load was late. */
  readonly lateRounds: number;
}
