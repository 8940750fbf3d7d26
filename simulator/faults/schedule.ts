/**
 * The schedule of a campaign: which fault comes when. Pure; a seed gives the same schedule on every machine.
 *
 * Owns: the order of kinds (a shuffled deck, so that each comes before any comes twice), whom they hit, how long they
 * last, and the healthy pauses between. Does not own what really happens: a campaign begins a fault at its time or once
 * the one before is healed, whichever is later.
 */
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import { SERVER_NAMES } from "../cluster/mod.js";
import { type Cut, DIRECTIONS, FAULT_KINDS, type Fault, type FaultKind, isCut } from "./kinds.js";

export interface PlannedFault {
  /** From the campaign's start. */
  readonly atMs: number;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly leaseMs: number;
  /** Faults begin before this. */
  readonly forMs: number;
  /** No more than so many. */
  readonly most?: number;
  readonly only?: readonly FaultKind[];
  /** Short faults and short pauses, where time is dear. */
  readonly hasty?: boolean;
}

export const FIRST_AT_MS = 3_000;
const PAUSE = { least: 2_000, spread: 3_000 };
const HASTY_PAUSE = { least: 800, spread: 400 };
/** Of the span in which a fault's length is drawn, when haste is asked for. */
const HASTY_PART = 0.25;
/** What a node needs to drain and to come back, about; only for the times in the schedule. */
const ROLL_A_NODE_MS = 4_000;
const RESETS = 0.25;

export function planFaults(options: ScheduleOptions): readonly PlannedFault[] {
  const random = seededRandom(options.seed);
  const kinds = options.only ?? FAULT_KINDS;
  const pause = options.hasty === true ? HASTY_PAUSE : PAUSE;
  const planned: PlannedFault[] = [];
  let deck: FaultKind[] = [];
  let atMs = FIRST_AT_MS;
  while (atMs < options.forMs && planned.length < (options.most ?? Number.POSITIVE_INFINITY)) {
    if (deck.length === 0) deck = shuffled(random, kinds);
    const fault = draw(random, deck.pop()!, options);
    planned.push({ atMs: Math.round(atMs), fault });
    const lastsMs = fault.kind === "roll-nodes" ? options.nodes * ROLL_A_NODE_MS : fault.forMs;
    atMs += lastsMs + pause.least + random.next() * pause.spread;
  }
  return planned;
}

function draw(random: Random, kind: FaultKind, { nodes, leaseMs, hasty }: ScheduleOptions): Fault {
  const node = randomInteger(random, nodes);
  const between = (least: number, most: number): number =>
    Math.round(least + random.next() * (most - least) * (hasty === true ? HASTY_PART : 1));
  switch (kind) {
    case "kill-node":
      // Sometimes back before its lease has ended, sometimes long after.
      return { kind, node, forMs: between(0.2 * leaseMs, 2 * leaseMs) };
    case "pause-node":
      return { kind, node, forMs: between(2 * leaseMs, 3 * leaseMs) };
    case "kill-postgres":
    case "kill-nats":
    case "kill-redis":
      return { kind, forMs: between(200, 1.5 * leaseMs) };
    case "cut-postgres":
    case "cut-nats":
    case "cut-redis":
    case "cut-postgres-and-nats":
    case "cut-all":
      return {
        kind,
        node,
        direction: pick(random, DIRECTIONS),
        manner: random.next() < RESETS ? "reset" : "drop",
        forMs: between(0.5 * leaseMs, 2.5 * leaseMs),
      };
    case "slow-link":
      return {
        kind,
        node,
        server: pick(random, SERVER_NAMES),
        delayMs: between(20, leaseMs / 6),
        forMs: between(leaseMs, 2 * leaseMs),
      };
    case "roll-nodes":
      return { kind };
  }
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const left = [...list];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(randomInteger(random, left.length), 1));
  return out;
}

/** The ways in which a schedule cuts, for a report: a one-way cut is another fault than one both ways. */
export function countKey(fault: Fault): string {
  return isCut(fault) ? `${fault.kind satisfies Cut} ${fault.direction}` : fault.kind;
}
