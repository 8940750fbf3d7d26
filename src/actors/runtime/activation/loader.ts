/**
 * Brings actors into memory: snapshots, remembered commands, timers and channel events in batches, then the rows that
 * rebuild what is volatile. It owns the queue of actors that wait to be loaded.
 *
 * Invariants: at most `loadConcurrency` loads of at most `loadBatch` actors run at once; a snapshot of a newer version
 * than the code, or one that cannot be migrated, is refused and never written over.
 */
import type { Json } from "../../../lib/json.js";
import type { LogFields } from "../../../lib/log.js";
import { decode } from "../../../lib/msgpack.js";
import { readContext } from "../context.js";
import type { HostLog, HostSettings } from "../host/settings.js";
import type { ActorStore, IndexRow, LoadedActor, RememberedCommand } from "../ports.js";
import { Deque } from "../structures/deque.js";
import type { Activation } from "./activation.js";
import { decodeOutcome } from "./outcome.js";

export interface LoaderEvents {
  turn(work: () => void): void;
  loaded(actor: Activation): void;
  /** `detail` says why, for the asker. */
  refused(actor: Activation, detail: { reason: string }): void;
  now(): number;
}

/** An actor to load, with the command ids whose outcomes the store surely has. */
interface Job {
  readonly actor: Activation;
  readonly commandIds: readonly string[];
}

const WARN_EVERY_MS = 5_000;

export class Loader {
  readonly #store: ActorStore;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #events: LoaderEvents;
  readonly #jobs = new Deque<Job>();
  #running = 0;
  #actorsLoading = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  /** Lines that were left out since. */
  #unsaid = 0;

  constructor(store: ActorStore, settings: HostSettings, log: HostLog, events: LoaderEvents) {
    this.#store = store;
    this.#settings = settings;
    this.#log = log;
    this.#events = events;
  }

  get loading(): number {
    return this.#jobs.length + this.#actorsLoading;
  }

  add(actor: Activation, commandIds: readonly string[]): void {
    this.#jobs.push({ actor, commandIds });
  }

  poke(): void {
    while (this.#running < this.#settings.loadConcurrency && this.#jobs.length > 0) {
      const jobs: Job[] = [];
      while (jobs.length < this.#settings.loadBatch) {
        const job = this.#jobs.shift();
        if (job === undefined) break;
        if (job.actor.phase === "loading") jobs.push(job);
      }
      if (jobs.length === 0) return;
      this.#running++;
      this.#actorsLoading += jobs.length;
      void this.#load(jobs);
    }
  }

  async #load(jobs: readonly Job[]): Promise<void> {
    const outcomes = await this.#read(jobs);
    this.#events.turn(() => {
      this.#running--;
      this.#actorsLoading -= jobs.length;
      jobs.forEach((job, i) => {
        if (job.actor.phase !== "loading") return;
        const outcome = outcomes[i] as (() => void) | { reason: string };
        if (typeof outcome !== "function") {
          this.#events.refused(job.actor, outcome);
          return;
        }
        try {
          outcome();
        } catch (error) {
          const { kind, key } = job.actor;
          this.#log.error({ kind: kind.name, key, error: String(error) }, "An actor could not be loaded");
          const reason = error instanceof Unreadable ? error.reason : "load_failed";
          this.#events.refused(job.actor, { reason });
          return;
        }
        this.#events.loaded(job.actor);
      });
    });
  }

  /** Per job: what installs the loaded actor, or why it cannot be loaded. Never rejects. */
  async #read(jobs: readonly Job[]): Promise<((() => void) | { reason: string })[]> {
    const durable = jobs.filter((job) => job.actor.kind.durable);
    const keepEvents = durable.reduce((most, job) => Math.max(most, job.actor.kind.keepEvents), 0);
    const snapshots = new Map<Activation, LoadedActor>();
    try {
      if (durable.length > 0) {
        const loaded = await this.#store.load(
          durable.map(({ actor }) => ({ kind: actor.kind.name, key: actor.key, shard: actor.shard })),
          keepEvents,
        );
        durable.forEach((job, i) => {
          snapshots.set(job.actor, loaded[i] as LoadedActor);
        });
      }
    } catch (error) {
      this.#warn({ count: durable.length, error: String(error) }, "Actors could not be loaded");
      return jobs.map(() => ({ reason: "store_unavailable" }));
    }
    return Promise.all(jobs.map((job) => this.#readOne(job, snapshots.get(job.actor))));
  }

  async #readOne(job: Job, loaded: LoadedActor | undefined): Promise<(() => void) | { reason: string }> {
    const { actor } = job;
    const hydrate = actor.hydrated ? undefined : actor.kind.definition.hydrate;
    try {
      const extra: RememberedCommand[] = [];
      for (const id of job.commandIds) {
        const found = await this.#store.rememberedCommand(actor.address, id);
        if (found !== null) extra.push(found);
      }
      const rows: IndexRow[] = [];
      if (hydrate !== undefined) {
        const results = await Promise.all(hydrate.queries(actor.key).map((query) => this.#store.queryIndex(query)));
        for (const result of results) rows.push(...result);
      }
      return () => {
        install(actor, loaded, extra, this.#settings.rememberedPerActor);
        if (actor.hydrated) return;
        actor.volatile = actor.kind.definition.volatile?.(actor.key);
        hydrate?.apply(readContext(actor, Math.max(actor.lastTime, this.#events.now())), rows);
        actor.hydrated = true;
      };
    } catch (error) {
      this.#warn({ kind: actor.kind.name, key: actor.key, error: String(error) }, "An actor could not be loaded");
      return { reason: "store_unavailable" };
    }
  }

  /** While the store is away every message to a sleeping actor fails: a line for each would fill the disk, too. */
  #warn(fields: LogFields, message: string): void {
    const sinceMs = this.#events.now() - this.#warnedAt;
    if (sinceMs >= 0 && sinceMs < WARN_EVERY_MS) {
      this.#unsaid++;
      return;
    }
    this.#warnedAt = this.#events.now();
    this.#log.warn(this.#unsaid === 0 ? fields : { ...fields, unsaid: this.#unsaid }, message);
    this.#unsaid = 0;
  }
}

/** True when the actor needs nothing from outside and can be used at once. */
export function needsNoLoading(actor: Activation): boolean {
  return !actor.kind.durable && actor.kind.definition.hydrate === undefined;
}

/** Makes a volatile actor that needs no loading. */
export function installFresh(actor: Activation): void {
  actor.state = actor.kind.definition.init(actor.key);
  actor.volatile = actor.kind.definition.volatile?.(actor.key);
  actor.hydrated = true;
}

class Unreadable extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Replaces everything of the head by what is committed. Listeners stay. Throws Unreadable. */
function install(
  actor: Activation,
  loaded: LoadedActor | undefined,
  extra: readonly RememberedCommand[],
  rememberedLimit: number,
): void {
  const definition = actor.kind.definition;
  const snapshot = loaded?.snapshot ?? null;
  actor.coldValues = null;
  actor.index = undefined;
  actor.trims = null;
  actor.remembered = null;
  actor.rememberedTruncated = false;
  if (snapshot === null) {
    actor.state = definition.init(actor.key);
    actor.seq = 0;
  } else {
    if (snapshot.version > definition.version) {
      throw new Unreadable(
        "newer_snapshot",
        `the snapshot has version ${snapshot.version}, this release reads up to ${definition.version}`,
      );
    }
    actor.state = stateOf(actor, snapshot);
    actor.seq = snapshot.seq;
    actor.lastTime = Math.max(actor.lastTime, snapshot.committedAt);
  }
  actor.committedSeq = actor.seq;
  if (snapshot !== null && snapshot.version === definition.version && snapshot.cold !== null) {
    const state = actor.state as Record<string, unknown>;
    actor.coldValues = actor.kind.coldKeys.map((key) => state[key]);
  }
  actor.nextTell = loaded?.nextTell ?? 1;
  actor.nextEvent = loaded?.nextEvent ?? 1;
  actor.timers = null;
  for (const row of loaded?.timers ?? []) {
    actor.timers ??= new Map();
    actor.timers.set(row.name, row);
  }
  // The store gives the newest first or last as it likes; only which ones are kept matters beyond the limit.
  for (const one of [...(loaded?.commands ?? []), ...extra]) {
    actor.remember(one.id, { bodyHash: one.bodyHash, outcome: decodeOutcome(one.outcome) }, rememberedLimit);
  }
  if ((loaded?.commands.length ?? 0) >= Math.min(rememberedLimit, 256)) actor.rememberedTruncated = true;
  for (const channel of actor.channels?.values() ?? []) {
    channel.top = 0;
    channel.events = [];
    channel.trimmedTo = 0;
  }
  for (const [name, kept] of Object.entries(loaded?.channels ?? {})) {
    const channel = actor.channel(name);
    if (channel === undefined) continue;
    channel.top = kept.top;
    channel.events = kept.events.map((event) => ({
      offset: event.offset,
      type: event.type,
      at: event.at,
      body: decode<Json>(event.body),
    }));
    channel.trimmedTo = (kept.events[0]?.offset ?? kept.top + 1) - 1;
  }
}

function stateOf(actor: Activation, snapshot: NonNullable<LoadedActor["snapshot"]>): unknown {
  const definition = actor.kind.definition;
  const hot = decode<Json>(snapshot.state);
  let state: Json = hot;
  if (snapshot.cold !== null && typeof hot === "object" && hot !== null) {
    state = { ...decode<Record<string, Json>>(snapshot.cold), ...(hot as Record<string, Json>) };
  }
  for (let version = snapshot.version; version < definition.version; version++) {
    const step = definition.migrate?.[version];
    if (step === undefined) {
      throw new Unreadable("no_migration", `no migration leads from version ${version} of the state to ${version + 1}`);
    }
    state = step(state);
  }
  return state;
}
