/**
 * One life of a node's process, composed of the real parts as `src/node` composes them: coordinator, shard hosts, actor
 * client, gateway, relay, over the world's twins of what lies outside of a process.
 *
 * Owns: the order of starting and stopping, and what ends with the process. Invariants: nothing of a life that is over has
 * any further effect, but for what was already on its way; nothing is served before the node is a member.
 */
import {
  DECISION_EFFECT,
  type DomainSettings,
  decisionEffect,
  inProcessDecisions,
} from "../../../src/actors/domain/mod.js";
import {
  type AnyActorDefinition,
  createActorClient,
  createMemoryNetwork,
  createShardHost,
  joinLinks,
  type Link,
  type RunningActorClient,
  SHARD_COUNT,
  type ShardHost,
} from "../../../src/actors/runtime/mod.js";
import { type Coordinator, createCoordinator, createEventRelay, type EventRelay } from "../../../src/cluster/mod.js";
import { createGateway, type Gateway, type GatewayAuth, type NativeApp } from "../../../src/gateway/mod.js";
import { type Clock, sleep } from "../../../src/lib/clock.js";
import type { Log } from "../../../src/lib/log.js";
import { uuidV7 } from "../../../src/lib/random.js";
import { shardKeeper } from "../../../src/node/keeper.js";
import { createMirrorCopy, fanOutMirror, forgetWhenShardsLeave } from "../../../src/node/mirror.js";
import { paymentEffect } from "../../../src/services/payments/mod.js";
import type { PlantedBug, ProcessClock, ProcessView, World } from "../ports.js";
import type { DatabaseConnection, WorldDatabase } from "./database.js";
import type { WorldNetwork } from "./network.js";
import type { WorldPayments } from "./payments.js";
import type { WorldMirror, WorldStream } from "./streams.js";
import { createWorkers, type WorkerParts, type Workers } from "./worker.js";

/** What all nodes of a world share. */
export interface Surroundings {
  readonly world: World;
  readonly database: WorldDatabase;
  readonly network: WorldNetwork;
  readonly payments: WorldPayments;
  readonly stream: WorldStream;
  /** Null: the nodes have no shared mirror. */
  readonly mirror: WorldMirror | null;
  readonly auth: GatewayAuth;
  readonly settings: DomainSettings;
  readonly bug: PlantedBug | null;
  readonly transport: {
    open(process: ProcessView, url: string): NativeApp;
    crash(process: ProcessView): void;
  };
  logFor(process: ProcessView): Log;
}

export interface LifeOptions extends Surroundings {
  readonly node: string;
  readonly life: string;
  readonly url: string;
  readonly clock: ProcessClock;
  /** Of the release that this process runs. */
  readonly definitions: readonly AnyActorDefinition[];
  /** It cannot be a member any more: whoever supervises it starts it anew. */
  readonly onFatal: (reason: Error) => void;
}

export interface Life extends ProcessView {
  readonly state: "starting" | "up" | "stopping" | "over";
  readonly workers: Workers;
  readonly client: RunningActorClient;
  readonly coordinator: Coordinator;
  readonly gateway: Gateway | null;
  readonly database: DatabaseConnection;
  /** Whether it may speak and serves this shard under this epoch. */
  serves(shard: number, epoch: number): boolean;
  hosts(): readonly ShardHost[];
  crash(): void;
  /** As on SIGTERM. Resolves when the process would have exited. */
  stop(): Promise<void>;
}

const COORDINATION = { leaseMs: 10_000, heartbeatMs: 1_000 } as const;
const RELAY = { pollMs: 1_000, lagMs: 60_000 } as const;
const MIRROR_ENTRIES = 2_000;
const DRAIN_MS = 1_000;
const DRAIN_PATIENCE_MS = 6_000;
const THINK_MS = 20;

/** Resolves once it is up; rejects when it cannot become a member. */
export function startLife(options: LifeOptions): { readonly life: Life; readonly started: Promise<void> } {
  const { world, database, network, payments, stream, mirror, settings, bug, node, clock, url, transport } = options;
  const { streams, sizes } = world;
  const self: ProcessView = { node, life: options.life, clock };
  const log = options.logFor(self);
  const random = streams.of(`process ${node}`);
  const connection = database.connect(self);
  const inside = createMemoryNetwork({ clock });
  const gatewayEndpoint = `${node}/gateway-0`;
  const ownNode = (endpoint: string): boolean => endpoint.startsWith(`${node}/`);
  const open = (endpoint: string): Link =>
    joinLinks(inside.endpoint(endpoint), network.open(self, endpoint, random), ownNode);

  function openWorker({ self: endpoint, clock: own, ownership }: WorkerParts): { host: ShardHost; link: Link } {
    const real = open(endpoint);
    const link = bug?.hostLink?.(real, self) ?? real;
    const shared = mirror?.mirrorFor(self) ?? null;
    const copies = fanOutMirror(link, [gatewayEndpoint], shared);
    const hostClock: Clock = bug?.hostClock?.(own, self) ?? own;
    const after = (delayMs: number, run: () => void) => own.after(delayMs, run);
    const host = createShardHost({
      self: endpoint,
      definitions: bug?.definitions?.(options.definitions) ?? options.definitions,
      store: connection.store,
      mirror: bug?.mirror?.(copies, self) ?? copies,
      effects: {
        payment: paymentEffect(payments.providerFor(self)),
        [DECISION_EFFECT]: decisionEffect(inProcessDecisions(after, THINK_MS), settings.zone.decisionPatienceMs, after),
      },
      link,
      ownership: bug?.ownership?.(ownership, self) ?? ownership,
      shardMap: workers.shardMap,
      clock: hostClock,
      random,
      log: log.child({ part: "engine" }),
    });
    return { host, link };
  }

  const workers: Workers = createWorkers({
    process: self,
    count: sizes.workersPerNode,
    open: openWorker,
    reclaim: (shards) => coordinator.reclaim(shards),
  });
  const { ownership, shardMap, mesh } = workers;
  const hints = network.hints.open(node, clock);
  const coordinator = createCoordinator({
    description: { node, incarnation: uuidV7(clock.now(), random), workers: sizes.workersPerNode, url },
    store: connection.members,
    hints,
    keeper: shardKeeper({ node, mesh, ownership, shardMap, workers: sizes.workersPerNode }),
    clock,
    random,
    log,
    settings: COORDINATION,
    onFatal: options.onFatal,
  });
  const owned = (shard: number): boolean => ownership.epochOf(shard % sizes.workersPerNode, shard) !== null;
  const relay: EventRelay = createEventRelay({
    outbox: connection.outbox,
    stream: stream.streamFor(self),
    ownedShards: () => Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(owned),
    clock,
    log,
    settings: RELAY,
    endOfTurn: (run) => void clock.after(0, run),
  });
  const gatewayLink = open(gatewayEndpoint);
  const copy = createMirrorCopy(clock, MIRROR_ENTRIES);
  forgetWhenShardsLeave(copy, shardMap, ownNode);
  const client = createActorClient({
    link: bug?.gatewayLink?.(gatewayLink, self) ?? gatewayLink,
    shardMap,
    clock,
    random,
    onMirror: (entries) => copy.put(entries),
  });
  let gateway: Gateway | null = null;
  let state: Life["state"] = "starting";

  function openGateway(): void {
    const gatewayClock = bug?.gatewayClock?.(clock, self) ?? clock;
    gateway = createGateway({
      id: gatewayEndpoint,
      app: transport.open(self, url),
      client: bug?.client?.(client, self) ?? client,
      clock: gatewayClock,
      random,
      auth: options.auth,
      index: connection.store,
      mirrorCopy: copy,
      mirror: mirror?.mirrorFor(self) ?? null,
      settings: { timeScale: sizes.timeScale, drainMs: DRAIN_MS },
      log: log.child({ part: "gateway" }),
    });
  }

  async function start(): Promise<void> {
    relay.start();
    workers.start();
    await coordinator.start();
    openGateway();
    state = "up";
  }

  function end(): void {
    state = "over";
    clock.die();
    connection.members.die();
  }

  const life: Life = {
    ...self,
    get state() {
      return state;
    },
    workers,
    client,
    coordinator,
    get gateway() {
      return gateway;
    },
    database: connection,
    serves: (shard, epoch) => ownership.mayEmit() && ownership.epochOf(shard % sizes.workersPerNode, shard) === epoch,
    hosts: () => workers.hosts(),
    crash() {
      if (state === "over") return;
      end();
      transport.crash(self);
    },
    async stop() {
      if (state === "over") return;
      state = "stopping";
      // Clients leave while the shards do: what they still ask is answered by the shards' new owners.
      await Promise.all([
        gateway?.drain(),
        Promise.race([coordinator.drain(), sleep(clock, DRAIN_MS + DRAIN_PATIENCE_MS)]),
      ]);
      await workers.stop();
      gateway?.close();
      client.close();
      gatewayLink.close();
      await coordinator.stop();
      await hints.close();
      await relay.stop();
      end();
    },
  };
  return { life, started: start() };
}
