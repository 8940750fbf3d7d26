/**
 * The database of the world: ownership and actors in one set of rows, as in Postgres, reached by every process over a way
 * of its own. Owns: the rows, the ways' faults, the record of every commit. Does not own: who is told what by whom.
 *
 * Invariants: the rows outlive every process; a call is judged and applied at one instant; a call whose outcome the caller
 * does not know has been applied whole or not at all. One that was sent into a cut may still be applied when the cut ends.
 */
import {
  type ActorStore,
  type FlushBatch,
  type FlushResult,
  OutcomeUnknown,
  StoreUnavailable,
} from "../../../src/actors/runtime/mod.js";
import type { EventOutbox } from "../../../src/cluster/mod.js";
import { type Random, randomInteger } from "../../../src/lib/random.js";
import type { ChatHistory } from "../../../src/services/chat/mod.js";
import type { LedgerStore } from "../../../src/services/ledger/mod.js";
import {
  createMemoryActorStore,
  createMemoryOwnership,
  createMemoryPromotions,
  createMemoryRatings,
  type MemoryActorStore,
  type MemoryOwnership,
  type MemoryOwnershipStore,
} from "../../../src/store/memory/mod.js";
import type { Commit, FaultKind, ProcessView, World } from "../ports.js";
import { createWire, type Wire } from "./wire.js";

export interface WorldDatabase {
  readonly ownership: MemoryOwnership;
  /** The rows themselves, for the judgement. */
  readonly tables: MemoryActorStore;
  readonly commits: readonly Commit[];
  readonly promotions: ReturnType<typeof createMemoryPromotions>;
  readonly ratings: ReturnType<typeof createMemoryRatings>;
  connect(process: ProcessView): DatabaseConnection;
  /** All sessions end and every call is refused until `start`. */
  stop(): void;
  start(): void;
}

/** All that one process has to do with the database. */
export interface DatabaseConnection {
  readonly store: ActorStore;
  readonly outbox: EventOutbox;
  /** The books, as a bookkeeper needs them. */
  readonly ledger: Pick<LedgerStore, "pending" | "book">;
  /** What was said in rooms. */
  readonly talk: ChatHistory;
  readonly members: MemoryOwnershipStore;
  /** Nothing passes until `heal`; neither side is told. */
  cut(): void;
  heal(): void;
}

const LATENCY_MS = 1;
/** As the real adapter waits. */
const PATIENCE_MS = 5_000;
const SLOWEST_MS = 1_900;
/** Of all calls, at an intensity of 1. */
const MOST_OFTEN = 0.15;

interface Fate {
  readonly thereMs: number;
  readonly backMs: number;
  readonly refusal: string | null;
  readonly answerLost: boolean;
}

export function createDatabase(world: World): WorldDatabase {
  const { scheduler, streams, trace, faults } = world;
  const { clock } = scheduler;
  const shards = new Map<number, { epoch: number; node: string }>();
  const ownership = createMemoryOwnership({ clock, latencyMs: LATENCY_MS, shards });
  const tables = createMemoryActorStore({ clock, shards });
  const commits: Commit[] = [];
  let running = true;

  function record(process: ProcessView, batch: FlushBatch, result: FlushResult): void {
    const epochs = new Map(batch.fences.map(({ shard, epoch }) => [shard, epoch]));
    const stale = new Set(result.staleShards);
    const failed = new Set(result.failures.map(({ index }) => index));
    for (const shard of result.staleShards) faults.happened("store_stale_epoch", process.life, `shard ${shard}`);
    for (const [index, write] of batch.actors.entries()) {
      const of = `${write.kind}/${write.key}`;
      const failure = result.failures.find((one) => one.index === index);
      if (failure !== undefined) trace.note(`refused ${failure.failure.reason}`, of, [write.seq]);
      if (stale.has(write.shard) || failed.has(index)) continue;
      const epoch = epochs.get(write.shard) ?? 0;
      const owner = shards.get(write.shard) ?? { node: "", epoch: 0 };
      const number = commits.length + 1;
      commits.push({
        number,
        at: clock.now(),
        node: process.node,
        life: process.life,
        epoch,
        owner: { ...owner },
        flushId: batch.flushId,
        write,
      });
      trace.note("commit", of, [write.shard, epoch, write.seq, write.commands.length, write.tells.length], () => {
        const said = [
          ...write.tells.map(({ to, name }) => `${name} → ${to.kind}/${to.key}`),
          ...write.events.map(({ type }) => `event ${type}`),
          ...write.pushes.map(({ channel, type }) => `push ${channel} ${type}`),
        ];
        return `${process.life} commits version ${write.seq} (shard ${write.shard}, epoch ${epoch})${said.length > 0 ? `: ${said.join(", ")}` : ""}`;
      });
    }
  }

  async function flush(process: ProcessView, batch: FlushBatch): Promise<FlushResult> {
    const result = await tables.flush(batch);
    record(process, batch, result);
    return result;
  }

  /** What becomes of one call; counted at once, because it is settled. */
  function fateOf(random: Random, process: ProcessView, operation: string, writes: boolean): Fate {
    const fate: Fate = {
      thereMs: LATENCY_MS + randomInteger(random, 2),
      backMs: LATENCY_MS + randomInteger(random, 2),
      refusal: null,
      answerLost: false,
    };
    const strikes = (kind: FaultKind): boolean => {
      if (random.next() >= faults.intensity(kind) * MOST_OFTEN) return false;
      faults.happened(kind, process.life, operation);
      return true;
    };
    if (strikes("store_unavailable")) return { ...fate, refusal: "The database refuses." };
    // Less than the patience: the server itself ends a transaction that takes longer.
    if (strikes("store_slow")) return { ...fate, thereMs: fate.thereMs + 20 + randomInteger(random, SLOWEST_MS) };
    if (!writes) return fate;
    if (strikes("store_serialization")) return { ...fate, refusal: "Could not serialize access (40001)." };
    return { ...fate, answerLost: strikes("store_answer_lost") };
  }

  function storeOf(process: ProcessView, wire: Wire): ActorStore {
    const random = streams.of(`store ${process.node}`);

    function call<T>(operation: string, work: () => Promise<T>, writes = false): Promise<T> {
      const fate = fateOf(random, process, operation, writes);
      return wire.send({
        ...fate,
        patienceMs: PATIENCE_MS,
        silence: () =>
          writes
            ? new OutcomeUnknown(`No answer to ${operation}.`)
            : new StoreUnavailable(`No answer to ${operation}.`),
        async serve() {
          if (!running) throw new StoreUnavailable("The database is starting.");
          if (fate.refusal !== null) throw new StoreUnavailable(fate.refusal);
          const value = await work();
          if (fate.answerLost) throw new OutcomeUnknown("The connection was lost.");
          return value;
        },
      });
    }

    return {
      claimShards: (node, wanted) => call("claimShards", () => tables.claimShards(node, wanted)),
      load: (actors, keepEvents) => call("load", () => tables.load(actors, keepEvents)),
      flush: (batch) => call("flush", () => flush(process, batch), true),
      outcomeOf: (batch) => call("outcomeOf", () => tables.outcomeOf(batch)),
      rememberedCommand: (actor, id) => call("rememberedCommand", () => tables.rememberedCommand(actor, id)),
      timersDue: (wanted, before, limit) => call("timersDue", () => tables.timersDue(wanted, before, limit)),
      pendingTells: (wanted, limit, after) => call("pendingTells", () => tables.pendingTells(wanted, limit, after)),
      queryIndex: (query) => call("queryIndex", () => tables.queryIndex(query)),
      deadLetter: (letter) => call("deadLetter", () => tables.deadLetter(letter)),
      close: async () => {},
    };
  }

  function outboxOf(process: ProcessView, wire: Wire): EventOutbox {
    const outbox = tables.eventOutbox();
    const random = streams.of(`outbox ${process.node}`);
    const call = <T>(work: () => Promise<T>): Promise<T> =>
      wire.send({
        thereMs: LATENCY_MS + randomInteger(random, 2),
        backMs: LATENCY_MS,
        patienceMs: PATIENCE_MS,
        silence: () => new StoreUnavailable("No answer from the outbox."),
        async serve() {
          if (!running) throw new StoreUnavailable("The database is starting.");
          return work();
        },
      });
    return {
      unpublished: (...wanted) => call(() => outbox.unpublished(...wanted)),
      published: (events) => call(() => outbox.published(events)),
      forgetEvents: (before, limit) => call(() => outbox.forgetEvents(before, limit)),
      lag: (wanted) => call(() => outbox.lag(wanted)),
    };
  }

  function ledgerOf(process: ProcessView, wire: Wire): DatabaseConnection["ledger"] {
    const ledger = tables.ledger();
    const random = streams.of(`ledger ${process.node}`);

    function call<T>(operation: string, work: () => Promise<T>, writes: boolean): Promise<T> {
      const fate = fateOf(random, process, operation, writes);
      return wire.send({
        ...fate,
        patienceMs: PATIENCE_MS,
        silence: () => new StoreUnavailable(`No answer to ${operation}.`),
        async serve() {
          if (!running) throw new StoreUnavailable("The database is starting.");
          if (fate.refusal !== null) throw new StoreUnavailable(fate.refusal);
          const value = await work();
          if (fate.answerLost) throw new StoreUnavailable("The connection was lost.");
          return value;
        },
      });
    }

    return {
      pending: (limit) => call("pending", () => ledger.pending(limit), false),
      async book(bookings, done, refused) {
        const fresh = await call("book", () => ledger.book(bookings, done, refused), true);
        for (const { orderId, kind, entries } of bookings)
          trace.note(
            `ledger ${kind}`,
            `order/${orderId}`,
            [entries.length],
            () => `${process.life} has booked a ${kind}`,
          );
        return fresh;
      },
    };
  }

  function talkOf(process: ProcessView, wire: Wire): ChatHistory {
    const history = tables.chatHistory();
    const random = streams.of(`talk ${process.node}`);
    return {
      before(...asked) {
        const fate = fateOf(random, process, "before", false);
        return wire.send({
          ...fate,
          patienceMs: PATIENCE_MS,
          silence: () => new StoreUnavailable("No answer to before."),
          async serve() {
            if (!running || fate.refusal !== null)
              throw new StoreUnavailable(fate.refusal ?? "The database is starting.");
            return history.before(...asked);
          },
        });
      },
    };
  }

  return {
    ownership,
    tables,
    commits,
    promotions: createMemoryPromotions(),
    ratings: createMemoryRatings(),
    connect(process) {
      const wire = createWire(clock, process.clock);
      const members = ownership.store(process.clock);
      return {
        store: storeOf(process, wire),
        outbox: outboxOf(process, wire),
        ledger: ledgerOf(process, wire),
        talk: talkOf(process, wire),
        members,
        cut() {
          wire.cut();
          members.cut();
        },
        heal() {
          wire.heal();
          members.heal();
        },
      };
    },
    stop() {
      running = false;
      ownership.stop();
    },
    start() {
      running = true;
      ownership.start();
    },
  };
}
