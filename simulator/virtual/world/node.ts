/**
 * One life of a node's process, composed of the real parts as `src/node` composes them: coordinator, shard hosts, actor
 * client, gateway, relay, bookkeeper, over the world's twins of what lies outside of a process.
 *
 * Owns: the order of starting and stopping, and what ends with the process. Invariants: nothing of a life that is over has
 * any further effect, but for what was already on its way; nothing is served before the node is a member.
 */
import {
  DECISION_EFFECT,
  type DecisionPool,
  type DomainSettings,
  decisionEffect,
  inProcessDecisions,
  RATINGS_EFFECT,
  readQuestion,
  writeQuestion,
} from "../../../src/actors/domain/mod.js";
import {
  type AnyActorDefinition,
  createActorClient,
  createMemoryNetwork,
  createShardHost,
  joinLinks,
  type Link,
  type RunningActorClient,
  type ShardHost,
} from "../../../src/actors/runtime/mod.js";
import { type Coordinator, createCoordinator, createEventRelay, type EventRelay } from "../../../src/cluster/mod.js";
import {
  createGateway,
  type Gateway,
  type GatewayAuth,
  type GatewaySettings,
  type NativeApp,
} from "../../../src/gateway/mod.js";
import { type Clock, sleep } from "../../../src/lib/clock.js";
import type { Log } from "../../../src/lib/log.js";
import { uuidV7 } from "../../../src/lib/random.js";
import { shardKeeper } from "../../../src/node/keeper.js";
import { createMirrorCopy, fanOutMirror, forgetWhenShardsLeave } from "../../../src/node/mirror.js";
import { chatOperations } from "../../../src/services/chat/mod.js";
import { contactEffect, contactSandbox } from "../../../src/services/contact/mod.js";
import { createBookkeeper } from "../../../src/services/ledger/mod.js";
import { paymentEffect } from "../../../src/services/payments/mod.js";
import { promotionEffect } from "../../../src/services/promotions/mod.js";
import { createRatingReader, driverRatingsEffect } from "../../../src/services/ratings/mod.js";
import type { LateWord, ProcessClock, ProcessView, World } from "../ports.js";
import type { DatabaseConnection, WorldDatabase } from "./database.js";
import { createFlood, type Flood } from "./flood.js";
import type { WorldNetwork } from "./network.js";
import { overhear } from "./overhear.js";
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
  /** How long gateways wait for devices that say nothing, and how much may wait for those that read slowly. */
  readonly patience: Pick<GatewaySettings, "pingMs" | "silenceMs" | "slotBacklogBytes" | "reliableBacklogBytes">;
  readonly transport: {
    open(process: ProcessView, url: string): NativeApp;
    crash(process: ProcessView, machine?: boolean): void;
  };
  logFor(process: ProcessView): Log;
  onLateWord(word: LateWord): void;
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

/** The real decisions, searched less long: which driver is best is not what is looked for here. */
function briefDecisions(after: Clock["after"]): DecisionPool {
  const real = inProcessDecisions(after, THINK_MS);
  return {
    solve(question) {
      const request = readQuestion(question);
      const { rules } = request;
      const search = { ...rules.matching.search, roundsPerOrder: 2, mostRounds: 20 };
      return real.solve(writeQuestion({ ...request, rules: { ...rules, matching: { ...rules.matching, search } } }));
    },
  };
}

export interface Life extends ProcessView {
  readonly state: "starting" | "up" | "stopping" | "over";
  readonly workers: Workers;
  readonly client: RunningActorClient;
  readonly coordinator: Coordinator;
  readonly gateway: Gateway | null;
  readonly database: DatabaseConnection;
  readonly flood: Flood;
  /** Whether it may speak and serves this shard under this epoch. */
  serves(shard: number, epoch: number): boolean;
  hosts(): readonly ShardHost[];
  /** `machine`: all of it is gone without a word, and the database finds out by itself. */
  crash(machine?: boolean): void;
  /** As on SIGTERM. Resolves when the process would have exited. */
  stop(): Promise<void>;
}

/** Slower than in life: a heartbeat reads all shards, and most of a seed's work would be reading them. */
const COORDINATION = { leaseMs: 10_000, heartbeatMs: 2_500, sessionLossMs: 3_000, sessionGraceMs: 4_000 } as const;
const RELAY = { pollMs: 2_000, lagMs: 60_000 } as const;
/** Few at a time, so that small towns need more than one transaction. */
const BOOKKEEPER = { everyMs: 2_000, batch: 3 } as const;
/** Narrower than in life: small towns ask little, and a flood must come to the bounds. */
export const HOST_BOUNDS = { mailboxLimit: 48, maxQueued: 192, askWindow: 128, lanes: 2 } as const;
const CLIENT_BOUNDS = { maxWaitingPerPeer: 160 } as const;
const MIRROR_ENTRIES = 2_000;
const DRAIN_MS = 1_000;
const DRAIN_PATIENCE_MS = 6_000;
const THINK_MS = 20;
/** How long a server keeps a session whose machine answers nothing. */
const SESSION_ENDS_MS = 25_000;

/** Resolves once it is up; rejects when it cannot become a member. */
export function startLife(options: LifeOptions): { readonly life: Life; readonly started: Promise<void> } {
  const { world, database, network, payments, stream, mirror, settings, patience, node, clock, url, transport } =
    options;
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
    const link = overhear(open(endpoint), {
      process: self,
      now: () => world.scheduler.clock.now(),
      ownerOf: (shard) => database.ownership.shards.get(shard),
      note: options.onLateWord,
    });
    const shared = mirror?.mirrorFor(self) ?? null;
    const after = (delayMs: number, run: () => void) => own.after(delayMs, run);
    const host = createShardHost({
      self: endpoint,
      definitions: options.definitions,
      store: connection.store,
      mirror: fanOutMirror(link, [gatewayEndpoint], shared),
      effects: {
        contact: contactEffect(contactSandbox()),
        payment: paymentEffect(payments.providerFor(self)),
        promotion: promotionEffect(database.promotions, () => own.now()),
        [RATINGS_EFFECT]: driverRatingsEffect(createRatingReader(database.ratings)),
        [DECISION_EFFECT]: decisionEffect(briefDecisions(after), settings.zone.decisionPatienceMs, after),
      },
      link,
      ownership,
      shardMap: workers.shardMap,
      clock: own,
      random,
      log: log.child({ part: "engine" }),
      settings: HOST_BOUNDS,
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
  const relay: EventRelay = createEventRelay({
    outbox: connection.outbox,
    stream: stream.streamFor(self),
    ownedShards: () => workers.ownedShards(),
    clock,
    log,
    settings: RELAY,
    endOfTurn: (run) => void clock.after(0, run),
  });
  const bookkeeper = createBookkeeper({ store: connection.ledger, clock, log, settings: BOOKKEEPER });
  const gatewayLink = open(gatewayEndpoint);
  const copy = createMirrorCopy(clock, MIRROR_ENTRIES);
  forgetWhenShardsLeave(copy, shardMap, ownNode);
  const client = createActorClient({
    link: gatewayLink,
    shardMap,
    clock,
    random,
    onMirror: (entry) => copy.put(entry),
    settings: CLIENT_BOUNDS,
  });
  const flood = createFlood(client, clock, random);
  let gateway: Gateway | null = null;
  let state: Life["state"] = "starting";

  function openGateway(): void {
    gateway = createGateway({
      id: gatewayEndpoint,
      app: transport.open(self, url),
      endOfTurn: (run) => void clock.after(0, run),
      client,
      clock,
      random,
      auth: options.auth,
      index: connection.store,
      operations: [chatOperations({ client, index: connection.store, history: connection.talk, clock })],
      mirrorCopy: copy,
      mirror: mirror?.mirrorFor(self) ?? null,
      settings: { timeScale: sizes.timeScale, drainMs: DRAIN_MS, ...patience },
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

  function end(machine: boolean): void {
    state = "over";
    clock.die();
    if (!machine) {
      connection.members.die();
      return;
    }
    connection.cut();
    world.scheduler.clock.after(SESSION_ENDS_MS, () => connection.members.die());
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
    flood,
    serves: (shard, epoch) => ownership.mayEmit() && ownership.epochOf(shard % sizes.workersPerNode, shard) === epoch,
    hosts: () => workers.hosts(),
    crash(machine = false) {
      if (state === "over") return;
      end(machine);
      transport.crash(self, machine);
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
      await bookkeeper.stop();
      end(false);
    },
  };
  return { life, started: start() };
}
