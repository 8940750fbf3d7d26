/**
 * The network between nodes: the subjects of a message server, as the links between nodes use them, over lines that delay,
 * lose, repeat, reorder and stop. The links on it are the real ones.
 *
 * Owns: what becomes of every publication on its way from one node to another. Does not own: what the links make of it.
 *
 * Invariants: without faults everything arrives once and in order per pair of nodes; whatever is on the way to a process
 * that died is lost; a process that sleeps finds what came when it wakes.
 */
import { createMemoryHints, type MemoryHints } from "../../../src/cluster/memory/mod.js";
import { clusterSubjects, createLinkCore, type LinkCore } from "../../../src/cluster/nats/mod.js";
import { silentLog } from "../../../src/lib/log.js";
import { type Random, randomInteger } from "../../../src/lib/random.js";
import type { FaultKind, ProcessView, World } from "../ports.js";

export interface WorldNetwork {
  /** One endpoint's link to those of other nodes. */
  open(process: ProcessView, self: string, random: Random): LinkCore;
  readonly hints: MemoryHints;
  /** Nothing passes from one node to another (and only that way) until it is opened. */
  shut(from: string, to: string): void;
  /** What passes from one node to another waits until it is opened, and then arrives. */
  clog(from: string, to: string): void;
  openWay(from: string, to: string): void;
  /** The server in the middle is gone: no link has a connection until `connectAll`. */
  disconnectAll(): void;
  connectAll(): void;
}

/** Rarer than in life: every heartbeat costs each of the endpoints, and none of them is what is looked for here. */
const LINK_SETTINGS = { heartbeatMs: 2_000, silenceMs: 6_000 } as const;
const MAX_PAYLOAD_BYTES = 1_048_576;
/** Of all publications, at an intensity of 1. */
const MOST_OFTEN = 0.08;
const LONGEST_DELAY_MS = 1_500;
const CLOGGED_MOST = 20_000;

interface Ear {
  readonly process: ProcessView;
  readonly core: LinkCore;
  /** Changes with every connection: what was under way to an earlier one is lost. */
  connection: number;
}

interface Way {
  readonly random: Random;
  lastDueAt: number;
  state: "open" | "shut" | "clogged";
  waiting: (() => void)[];
}

export function createNetwork(world: World): WorldNetwork {
  const { scheduler, streams, faults, trace } = world;
  const { clock } = scheduler;
  const subjects = clusterSubjects("virtual");
  const inboxes = new Map<string, Ear>();
  const ears = new Set<Ear>();
  const ways = new Map<string, Way>();
  let serverRuns = true;
  let connections = 0;
  const hintRandom = streams.of("hints");

  function wayOf(from: string, to: string): Way {
    const name = `${from}>${to}`;
    let way = ways.get(name);
    if (way === undefined) {
      way = { random: streams.of(`way ${name}`), lastDueAt: 0, state: "open", waiting: [] };
      ways.set(name, way);
    }
    return way;
  }

  function carry(from: string, ear: Ear, bytes: Uint8Array, hear: (bytes: Uint8Array) => void): void {
    const to = ear.process.node;
    const way = wayOf(from, to);
    if (way.state === "shut") return;
    const { random } = way;
    const strikes = (kind: FaultKind): boolean => {
      if (random.next() >= faults.intensity(kind) * MOST_OFTEN) return false;
      faults.happened(kind, `${from}>${to}`);
      return true;
    };
    const { connection } = ear;
    const arrive = (): void => {
      if (way.state === "shut" || ear.connection !== connection) return;
      trace.note("parcel", `${from}>${to}`, [bytes.length]);
      ear.process.clock.after(0, () => {
        if (ear.connection === connection) hear(bytes);
      });
    };
    const reach = (): void => {
      if (way.state === "clogged" && way.waiting.length < CLOGGED_MOST) way.waiting.push(arrive);
      else arrive();
    };
    if (strikes("link_drop")) return;
    const now = scheduler.clock.now();
    const usual = now + 1 + randomInteger(random, 2);
    if (strikes("link_reorder")) {
      clock.after(usual - now + 1 + randomInteger(random, 60), reach);
      return;
    }
    const extra = strikes("link_delay") ? 5 + randomInteger(random, LONGEST_DELAY_MS) : 0;
    way.lastDueAt = Math.max(way.lastDueAt, usual + extra);
    clock.after(way.lastDueAt - now, reach);
    if (strikes("link_duplicate")) clock.after(way.lastDueAt - now + randomInteger(random, 50), reach);
  }

  function publish(from: ProcessView, subject: string, bytes: Uint8Array): void {
    if (subject === subjects.presence) {
      for (const ear of ears) {
        if (ear.process.node !== from.node && ear.connection > 0) carry(from.node, ear, bytes, ear.core.hearPresence);
      }
      return;
    }
    const ear = inboxes.get(subject);
    if (ear !== undefined && ear.connection > 0) carry(from.node, ear, bytes, ear.core.hear);
  }

  function connect(ear: Ear): void {
    if (ear.process.clock.state === "dead") return;
    ear.connection = ++connections;
    ear.process.clock.after(0, () => ear.core.connected());
  }

  return {
    hints: createMemoryHints({
      clock,
      fate(from, to) {
        if (hintRandom.next() < faults.intensity("hint_lost") * 0.5) {
          faults.happened("hint_lost", `${from}>${to}`);
          return null;
        }
        if (!serverRuns || wayOf(from, to).state !== "open") return null;
        return 1 + randomInteger(hintRandom, 20);
      },
    }),
    open(process, self, random) {
      const own: { ear: Ear | null } = { ear: null };
      const core = createLinkCore({
        self,
        subjects,
        clock: process.clock,
        random,
        log: silentLog,
        settings: LINK_SETTINGS,
        endOfTurn: (run) => void process.clock.after(0, run),
        wire: {
          publish(subject, bytes) {
            if (serverRuns && own.ear !== null && own.ear.connection > 0)
              publish(process, subject, new Uint8Array(bytes));
          },
          maxPayload: () => MAX_PAYLOAD_BYTES,
        },
      });
      const ear: Ear = { process, core, connection: 0 };
      own.ear = ear;
      for (const other of ears) if (other.process.clock.state === "dead") ears.delete(other);
      ears.add(ear);
      inboxes.set(subjects.inbox(self, core.instance), ear);
      if (serverRuns) connect(ear);
      return core;
    },
    shut(from, to) {
      wayOf(from, to).state = "shut";
    },
    clog(from, to) {
      wayOf(from, to).state = "clogged";
    },
    openWay(from, to) {
      const way = wayOf(from, to);
      way.state = "open";
      for (const arrive of way.waiting.splice(0)) arrive();
    },
    disconnectAll() {
      serverRuns = false;
      for (const ear of ears) {
        ear.connection = 0;
        ear.process.clock.after(0, () => ear.core.disconnected());
      }
    },
    connectAll() {
      serverRuns = true;
      for (const ear of ears) connect(ear);
    },
  };
}
