/**
 * A thread's side of the mesh: its link to every other endpoint, its ownership, its heartbeat. To be called once, first
 * thing, by the script of a thread that `createThreadMesh` started.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Clock, systemClock } from "../../../lib/clock.js";
import type { EndpointId, Ownership, ShardMap } from "../link.js";
import { createMessagePortLink, type MessagePortLink, type MessagePortLinkOptions } from "../links/message-port.js";
import type { FromThread, GatewayStep, ThreadRole, ThreadStart, ToThread } from "./control.js";
import { openOwnership } from "./ownership.js";
import { createShardMap } from "./shard-map.js";

export interface OwnershipChange {
  readonly gained: readonly number[];
  /** What was gained was given in order; see `ShardHost.start`. */
  readonly given: boolean;
  readonly lost: readonly number[];
}

export interface MeshMember {
  readonly self: EndpointId;
  readonly role: ThreadRole;
  /** Position among the shard workers of the node; null for a gateway. */
  readonly worker: number | null;
  /** What the thread's `ThreadSpec` gave it. */
  readonly data: unknown;
  readonly link: MessagePortLink;
  readonly ownership: Ownership;
  readonly shardMap: ShardMap;
  /** Hears of shards granted and revoked from now on. What was granted before is in `ownership` already. */
  onOwnership(handler: (change: OwnershipChange) => void): void;
  /**
   * Asked to give shards up in order: refuse what is new on them, finish and commit what is under way, forget them. They
   * are owned until it resolves.
   */
  onRelease(handler: (shards: readonly number[]) => Promise<void>): void;
  /** The node serves: let clients in. Gateways alone are asked. */
  onOpen(handler: () => Promise<unknown>): void;
  /** The node is about to leave: let clients go, and no new ones in. Gateways alone are asked. */
  onDrain(handler: () => Promise<unknown>): void;
  /** Runs before the thread ends, one after the other, in the order they were given; the main thread waits for them. */
  onStop(handler: () => Promise<void> | void): void;
  /** Tells the main thread that this one works. Until then only its start's time-out watches it. */
  ready(): void;
}

export function joinMesh(
  options: { readonly clock?: Clock; readonly onProblem?: MessagePortLinkOptions["onProblem"] } = {},
): MeshMember {
  const port = parentPort;
  if (port === null) throw new Error("joinMesh: this is the main thread");
  const { mesh, data } = workerData as ThreadStart;
  const clock = options.clock ?? systemClock();
  const { onProblem } = options;
  const heartbeats = new Int32Array(mesh.heartbeats);
  const beat = (): void => void Atomics.add(heartbeats, mesh.heartbeat, 1);
  const link = createMessagePortLink({
    self: mesh.self,
    settings: mesh.link,
    // A thread with more messages than time comes to its timers late. It is slow then, not stuck.
    onReceived: beat,
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  const shardMap = createShardMap(mesh.owners);
  const stopHandlers: (() => Promise<void> | void)[] = [];
  const releaseHandlers: ((shards: readonly number[]) => Promise<void>)[] = [];
  const stepHandlers: Record<GatewayStep, (() => Promise<unknown>)[]> = { open: [], drain: [] };
  const ownershipHandlers: ((change: OwnershipChange) => void)[] = [];
  const stopHeartbeat = clock.every(mesh.heartbeatMs, beat);
  const say = (message: FromThread): void => port.postMessage(message);

  for (const { peer, end } of mesh.connections) link.connect(peer, end);

  async function stop(): Promise<void> {
    for (const handler of stopHandlers) await handler();
    stopHeartbeat();
    link.close();
    say({ kind: "stopped" });
    port?.close();
  }

  async function release(request: number, shards: readonly number[]): Promise<void> {
    for (const handler of releaseHandlers) await handler(shards);
    say({ kind: "released", request });
  }

  async function take(step: GatewayStep): Promise<void> {
    for (const handler of stepHandlers[step]) await handler();
    say({ kind: "done", step });
  }

  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "connect":
        link.connect(message.connection.peer, message.connection.end);
        return;
      case "disconnect":
        link.disconnect(message.peer);
        return;
      case "assigned":
        shardMap.assign(message.changes);
        return;
      case "owned":
        for (const handler of ownershipHandlers) handler(message);
        return;
      case "release":
        // As with `stop`: a handler that fails is the thread's uncaught error, and the thread is replaced.
        void release(message.request, message.shards);
        return;
      case "open":
      case "drain":
        // As with `stop`.
        void take(message.kind);
        return;
      case "stop":
        // A handler that fails is the thread's uncaught error, which the main thread hears of.
        void stop();
        return;
    }
  });

  return {
    self: mesh.self,
    role: mesh.role,
    worker: mesh.worker,
    data,
    link,
    ownership: openOwnership(mesh.ownership, mesh.worker),
    shardMap,
    onOwnership: (handler) => void ownershipHandlers.push(handler),
    onRelease: (handler) => void releaseHandlers.push(handler),
    onOpen: (handler) => void stepHandlers.open.push(handler),
    onDrain: (handler) => void stepHandlers.drain.push(handler),
    onStop: (handler) => void stopHandlers.push(handler),
    ready: () => say({ kind: "ready" }),
  };
}
