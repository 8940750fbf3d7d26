/**
 * The threads of a node and the ports between them, from the main thread's side.
 *
 * Owns: starting the threads, a channel between every two endpoints, watching for dead and stuck threads, replacing
 * them, stopping them. Does not own: what the threads do, who owns a shard (the composition root decides, in
 * `beforeRestart` and by `grant`), or the messages.
 *
 * Invariants:
 * - a dead worker's ownership is revoked before anything else happens, a stuck one's before it is ended;
 * - a replacement starts only after `beforeRestart` for it has resolved, so that no two can own one shard's epoch;
 * - only shard workers are ever terminated: ending a gateway thread from outside would abort the process;
 * - a crash loop is bounded: pauses grow, and after `maxCrashes` in a row the mesh gives up and says so.
 */
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { Cancel, Clock } from "../../../lib/clock.js";
import { endOfTurn } from "../../../lib/schedule.js";
import type { EndpointId } from "../link.js";
import {
  createMessagePortLink,
  createPortPair,
  type MessagePortLink,
  type MessagePortLinkSettings,
  type PeerStats,
} from "../links/message-port.js";
import type { Connection, FromThread, GatewayStep, ThreadRole, ThreadStart, ToThread } from "./control.js";
import type { OwnershipTable } from "./ownership.js";
import { checkMeshSettings, DEFAULT_MESH_SETTINGS, type MeshSettings } from "./settings.js";
import type { AssignableShardMap } from "./shard-map.js";

export interface ThreadSpec {
  readonly endpoint: EndpointId;
  readonly role: ThreadRole;
  /** A compiled script that calls `joinMesh` first thing. */
  readonly script: URL;
  /** Must survive a structured clone. */
  readonly data?: unknown;
  readonly resourceLimits?: ResourceLimits;
}

export type MeshEvent =
  | { readonly kind: "started"; readonly endpoint: EndpointId }
  | { readonly kind: "ready"; readonly endpoint: EndpointId }
  /** `error` is what the thread threw, if it threw. */
  | { readonly kind: "died"; readonly endpoint: EndpointId; readonly exitCode: number; readonly error: unknown }
  | { readonly kind: "stuck"; readonly endpoint: EndpointId; readonly forMs: number }
  | { readonly kind: "restarting"; readonly endpoint: EndpointId; readonly crashes: number; readonly pauseMs: number }
  | { readonly kind: "restart_failed"; readonly endpoint: EndpointId; readonly error: unknown }
  | { readonly kind: "stopped"; readonly endpoint: EndpointId; readonly cleanly: boolean }
  | { readonly kind: "unsendable"; readonly endpoint: EndpointId; readonly type: string; readonly error: unknown };

export interface ThreadMeshOptions {
  /** The main thread's own endpoint. */
  readonly self: EndpointId;
  /** Shard workers are numbered in this order, gateways apart. */
  readonly threads: readonly ThreadSpec[];
  /** Changes to it go to every thread. */
  readonly shardMap: AssignableShardMap;
  readonly ownership: OwnershipTable;
  readonly clock: Clock;
  readonly settings?: Partial<MeshSettings>;
  readonly linkSettings?: Partial<MessagePortLinkSettings>;
  /** Awaited before a dead shard worker is replaced: raise its shards' epochs and `grant` them. Rejecting: tried again. */
  readonly beforeRestart: (worker: number) => Promise<void>;
  /** A thread cannot be kept alive. The node should drain and end. */
  readonly onFatal: (endpoint: EndpointId, reason: string) => void;
  readonly onEvent?: (event: MeshEvent) => void;
}

export interface ThreadMesh {
  /** The main thread's link. */
  readonly link: MessagePortLink;
  /** Resolves when every thread is ready; rejects when one cannot be kept alive. */
  start(): Promise<void>;
  /** Grants epochs in the ownership table and tells the worker. `given`: see `ShardHost.start`. */
  grant(worker: number, epochs: ReadonlyMap<number, number>, given?: boolean): void;
  /**
   * Has the worker give the shards up in order and revokes them then. Resolves when nothing of them is in its memory any
   * more, be it because the worker died.
   */
  release(worker: number, shards: readonly number[]): Promise<void>;
  /** Revokes in the ownership table, which counts at once, and tells the worker. */
  revoke(worker: number, shards: readonly number[]): void;
  /** Has every gateway thread, also one that is started from now on, let clients in. Resolves when all do, or are gone. */
  open(): Promise<void>;
  /**
   * Tells every gateway thread, also one that is started from now on, that the node is about to leave. Resolves when all
   * have let their clients go or are gone, at the latest after `withinMs`.
   */
  drain(withinMs: number): Promise<void>;
  threads(): readonly { readonly endpoint: EndpointId; readonly state: State["state"]; readonly crashes: number }[];
  stats(): readonly PeerStats[];
  /** Asks every thread to stop, gateways first, waits, and ends the shard workers that do not. */
  stop(): Promise<void>;
}

type State =
  | { readonly state: "idle" }
  | { readonly state: "starting"; readonly worker: Worker; since: number }
  | { readonly state: "running"; readonly worker: Worker; beats: number; movedAt: number; readonly since: number }
  /** Ended by us, its exit is to come. */
  | { readonly state: "ending"; readonly worker: Worker }
  | { readonly state: "pausing"; readonly cancel: Cancel }
  | { readonly state: "preparing" }
  | { readonly state: "stopping"; readonly worker: Worker; readonly done: (cleanly: boolean) => void }
  | { readonly state: "stopped" }
  | { readonly state: "failed" };

interface Thread {
  readonly spec: ThreadSpec;
  readonly index: number;
  /** Position among the shard workers. */
  readonly worker: number | null;
  state: State;
  crashes: number;
  error: unknown;
  reportedStuck: boolean;
}

const LAST_WORDS_TURNS = 10_000;

export function createThreadMesh(options: ThreadMeshOptions): ThreadMesh {
  const { self, shardMap, ownership, clock, beforeRestart, onFatal } = options;
  const settings = checkMeshSettings({ ...DEFAULT_MESH_SETTINGS, ...options.settings });
  const linkSettings = options.linkSettings ?? {};
  const report = (event: MeshEvent): void => options.onEvent?.(event);
  const link = createMessagePortLink({
    self,
    settings: linkSettings,
    onProblem: ({ peer, type, error }) => report({ kind: "unsendable", endpoint: peer, type, error }),
  });
  const heartbeats = new Int32Array(
    new SharedArrayBuffer(Math.max(1, options.threads.length) * Int32Array.BYTES_PER_ELEMENT),
  );
  let shardWorkers = 0;
  const threads: Thread[] = options.threads.map((spec, index) => ({
    spec,
    index,
    worker: spec.role === "shards" ? shardWorkers++ : null,
    state: { state: "idle" },
    crashes: 0,
    error: undefined,
    reportedStuck: false,
  }));
  if (new Set([self, ...threads.map((thread) => thread.spec.endpoint)]).size !== threads.length + 1)
    throw new Error("mesh: two endpoints have the same name");
  if (ownership.workers < shardWorkers)
    throw new RangeError(
      `mesh: the ownership table has room for ${ownership.workers} of ${shardWorkers} shard workers`,
    );
  let stopCheck: Cancel | null = null;
  let checkedAt = 0;
  let stopping = false;
  /** Releases that a worker has not answered yet: at most one for each shard. */
  const releases = new Map<number, { readonly worker: Worker; readonly done: () => void }>();
  let releaseRequests = 0;
  /** What gateways are told when they start. */
  const steps = new Set<GatewayStep>();
  /** What they have not said yet to be done with. */
  const undone = new Map<Worker, Map<GatewayStep, () => void>>();
  let started: { resolve: () => void; reject: (error: Error) => void } | null = null;

  const runningWorker = ({ state }: Thread): Worker | null =>
    state.state === "starting" || state.state === "running" || state.state === "stopping" ? state.worker : null;

  function tell(thread: Thread, message: ToThread, transfer: Connection["end"]["port"][] = []): void {
    runningWorker(thread)?.postMessage(message, transfer);
  }

  function spawn(thread: Thread): void {
    const { spec } = thread;
    const connections: Connection[] = [];
    const join = (peer: EndpointId, give: (connection: Connection) => void): void => {
      const [near, far] = createPortPair();
      connections.push({ peer, end: near });
      give({ peer: spec.endpoint, end: far });
    };
    const others = threads.filter((other) => other !== thread && runningWorker(other) !== null);
    for (const other of others)
      join(other.spec.endpoint, (connection) => tell(other, { kind: "connect", connection }, [connection.end.port]));
    join(self, ({ peer, end }) => link.connect(peer, end));
    const start: ThreadStart = {
      mesh: {
        self: spec.endpoint,
        role: spec.role,
        worker: thread.worker,
        connections,
        owners: shardMap.owners(),
        ownership: ownership.buffer,
        heartbeats: heartbeats.buffer as SharedArrayBuffer,
        heartbeat: thread.index,
        heartbeatMs: settings.heartbeatMs,
        link: linkSettings,
      },
      data: spec.data,
    };
    const worker = new Worker(spec.script, {
      name: spec.endpoint,
      workerData: start,
      transferList: connections.map((connection) => connection.end.port),
      ...(spec.resourceLimits === undefined ? {} : { resourceLimits: spec.resourceLimits }),
    });
    thread.error = undefined;
    thread.reportedStuck = false;
    thread.state = { state: "starting", worker, since: clock.monotonic() };
    worker.on("message", (message: FromThread) => hear(thread, worker, message));
    worker.on("error", (error) => {
      thread.error = error;
    });
    worker.on("exit", (exitCode) => {
      ended(thread, worker, exitCode);
      releasedByEnd(worker);
      for (const step of undone.get(worker)?.keys() ?? []) done(worker, step);
    });
    if (thread.worker === null) for (const step of steps) tell(thread, { kind: step });
    report({ kind: "started", endpoint: spec.endpoint });
  }

  function hear(thread: Thread, worker: Worker, message: FromThread): void {
    const { state } = thread;
    if (!("worker" in state) || state.worker !== worker) return;
    switch (message.kind) {
      case "ready": {
        if (state.state !== "starting") return;
        const now = clock.monotonic();
        thread.state = { state: "running", worker, beats: beatsOf(thread), movedAt: now, since: now };
        report({ kind: "ready", endpoint: thread.spec.endpoint });
        if (threads.every((other) => other.state.state === "running")) started?.resolve();
        return;
      }
      case "released":
        releases.get(message.request)?.done();
        releases.delete(message.request);
        return;
      case "done":
        done(worker, message.step);
        return;
      case "stopped":
        if (state.state === "stopping") state.done(true);
        return;
    }
  }

  /** A worker that is gone has nothing in memory. */
  function releasedByEnd(worker: Worker): void {
    for (const [request, release] of releases) {
      if (release.worker !== worker) continue;
      releases.delete(request);
      release.done();
    }
  }

  function done(worker: Worker, step: GatewayStep): void {
    undone.get(worker)?.get(step)?.();
    undone.get(worker)?.delete(step);
    if (undone.get(worker)?.size === 0) undone.delete(worker);
  }

  /** Has all gateways do it. Resolves when they have, or are gone. */
  async function gateways(step: GatewayStep): Promise<void> {
    steps.add(step);
    const doing = threads.map((thread) => {
      const worker = thread.worker === null ? runningWorker(thread) : null;
      if (worker === null) return undefined;
      return new Promise<void>((resolve) => {
        undone.set(worker, (undone.get(worker) ?? new Map<GatewayStep, () => void>()).set(step, resolve));
        tell(thread, { kind: step });
      });
    });
    await Promise.all(doing);
  }

  async function drain(withinMs: number): Promise<void> {
    let cancel: Cancel = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(withinMs, resolve);
    });
    await Promise.race([gateways("drain"), late]);
    cancel();
  }

  const beatsOf = (thread: Thread): number => Atomics.load(heartbeats, thread.index);

  function ended(thread: Thread, worker: Worker, exitCode: number): void {
    const { state, spec } = thread;
    if (!("worker" in state) || state.worker !== worker) return;
    if (thread.worker !== null) ownership.revoke(thread.worker);
    for (const other of threads) if (other !== thread) tell(other, { kind: "disconnect", peer: spec.endpoint });
    if (state.state === "stopping") {
      // The exit may overtake what the thread said last: `stopThread` hears that out before it disconnects.
      state.done(exitCode === 0);
      return;
    }
    link.disconnect(spec.endpoint);
    report({ kind: "died", endpoint: spec.endpoint, exitCode, error: thread.error });
    if (state.state === "running" && clock.monotonic() - state.since >= settings.stableMs) thread.crashes = 0;
    thread.crashes += 1;
    if (stopping) {
      thread.state = { state: "stopped" };
    } else if (thread.crashes >= settings.maxCrashes) {
      fail(thread, `it crashed ${thread.crashes} times in a row`);
    } else {
      const { crashes } = thread;
      pause(
        thread,
        crashes === 1 ? 0 : Math.min(settings.restartMaxMs, settings.restartMinMs * 2 ** Math.min(crashes - 2, 20)),
      );
    }
  }

  function pause(thread: Thread, pauseMs: number): void {
    report({ kind: "restarting", endpoint: thread.spec.endpoint, crashes: thread.crashes, pauseMs });
    thread.state = { state: "pausing", cancel: clock.after(pauseMs, () => void restart(thread)) };
  }

  async function restart(thread: Thread): Promise<void> {
    thread.state = { state: "preparing" };
    try {
      if (thread.worker !== null) await beforeRestart(thread.worker);
    } catch (error) {
      // Not the thread's fault, so no crash of its: the store may be away for a while.
      if (thread.state.state !== "preparing") return;
      report({ kind: "restart_failed", endpoint: thread.spec.endpoint, error });
      pause(thread, settings.restartMaxMs);
      return;
    }
    if (thread.state.state === "preparing") spawn(thread);
  }

  function fail(thread: Thread, reason: string): void {
    thread.state = { state: "failed" };
    started?.reject(new Error(`mesh: ${thread.spec.endpoint} cannot be kept alive: ${reason}`));
    onFatal(thread.spec.endpoint, reason);
  }

  function check(): void {
    const now = clock.monotonic();
    // When this thread itself was held up or the machine slept, the others' silence proves nothing.
    const late = now - checkedAt > 2 * settings.checkMs;
    checkedAt = now;
    for (const thread of threads) {
      const { state } = thread;
      if (state.state === "running") {
        const beats = beatsOf(thread);
        if (beats !== state.beats || late) {
          state.beats = beats;
          state.movedAt = now;
          thread.reportedStuck = false;
        } else if (now - state.movedAt > settings.stuckMs) {
          stuck(thread, state.worker, now - state.movedAt);
        }
      } else if (state.state === "starting") {
        if (late) state.since = now;
        else if (now - state.since > settings.startTimeoutMs) stuck(thread, state.worker, now - state.since);
      }
    }
  }

  function stuck(thread: Thread, worker: Worker, forMs: number): void {
    if (!thread.reportedStuck) report({ kind: "stuck", endpoint: thread.spec.endpoint, forMs });
    thread.reportedStuck = true;
    if (thread.worker === null) return;
    ownership.revoke(thread.worker);
    thread.state = { state: "ending", worker };
    void worker.terminate();
  }

  /** A port's end comes behind its last message: once the peer is gone, all that it said has been heard. */
  async function lastWords(endpoint: EndpointId): Promise<void> {
    for (let turns = 0; turns < LAST_WORDS_TURNS && link.stats().some(({ peer }) => peer === endpoint); turns++)
      await new Promise<void>((resolve) => endOfTurn(resolve));
  }

  async function stopThread(thread: Thread): Promise<void> {
    const { state } = thread;
    if (state.state === "pausing") state.cancel();
    if (state.state !== "starting" && state.state !== "running") {
      if (state.state !== "ending") thread.state = { state: "stopped" };
      return;
    }
    const { worker } = state;
    const cleanly = await new Promise<boolean>((resolve) => {
      const cancel = clock.after(settings.stopTimeoutMs, () => resolve(false));
      const done = (clean: boolean): void => {
        cancel();
        resolve(clean);
      };
      thread.state = { state: "stopping", worker, done };
      tell(thread, { kind: "stop" });
    });
    if (cleanly) await lastWords(thread.spec.endpoint);
    link.disconnect(thread.spec.endpoint);
    report({ kind: "stopped", endpoint: thread.spec.endpoint, cleanly });
    thread.state = { state: "stopped" };
    if (thread.worker !== null) {
      ownership.revoke(thread.worker);
      await worker.terminate();
    } else {
      // It ends by itself when its sockets are closed; if it hangs it must not keep the process alive.
      worker.unref();
    }
  }

  return {
    link,
    async start() {
      const allReady = new Promise<void>((resolve, reject) => {
        started = { resolve, reject };
      });
      shardMap.onChange((shards) => {
        const changes = shards.map((shard) => [shard, shardMap.ownerOf(shard)] as const);
        for (const thread of threads) tell(thread, { kind: "assigned", changes });
      });
      checkedAt = clock.monotonic();
      stopCheck = clock.every(settings.checkMs, check);
      for (const thread of threads) spawn(thread);
      if (threads.length === 0) started?.resolve();
      return allReady;
    },
    grant(worker, epochs, given = false) {
      ownership.grant(worker, epochs);
      for (const thread of threads)
        if (thread.worker === worker) tell(thread, { kind: "owned", gained: [...epochs.keys()], given, lost: [] });
    },
    async release(worker, shards) {
      // Given up late, a shard may have gone and come back meanwhile: under another epoch, which stays.
      const epochs = shards.map((shard) => [shard, ownership.epochOf(worker, shard)] as const);
      const thread = threads.find((one) => one.worker === worker);
      const running = thread === undefined ? null : runningWorker(thread);
      if (thread !== undefined && running !== null) {
        await new Promise<void>((done) => {
          releases.set(++releaseRequests, { worker: running, done });
          tell(thread, { kind: "release", request: releaseRequests, shards });
        });
      }
      const given = epochs.filter(([shard, epoch]) => ownership.epochOf(worker, shard) === epoch);
      ownership.revoke(
        worker,
        given.map(([shard]) => shard),
      );
    },
    revoke(worker, shards) {
      ownership.revoke(worker, shards);
      for (const thread of threads)
        if (thread.worker === worker) tell(thread, { kind: "owned", gained: [], given: false, lost: shards });
    },
    open: () => gateways("open"),
    drain,
    threads: () =>
      threads.map(({ spec, state, crashes }) => ({ endpoint: spec.endpoint, state: state.state, crashes })),
    stats: () => link.stats(),
    async stop() {
      stopping = true;
      stopCheck?.();
      await Promise.all(threads.filter((thread) => thread.worker === null).map(stopThread));
      await Promise.all(threads.filter((thread) => thread.worker !== null).map(stopThread));
      link.close();
    },
  };
}
