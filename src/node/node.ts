/**
 * A node as a whole: starts its parts in order, keeps them alive, stops them in the opposite order. The main thread
 * supervises and is the first gateway; shard workers run the actors. With a NATS server it is one node of a cluster and
 * owns the shards that the coordinator gets for it; alone it owns all.
 *
 * Invariants: nothing listens before every shard has an owner; a dead worker's epochs are raised in the store before its
 * replacement loads anything; when the truth is lost for good, the node ends rather than serve from memory.
 */
import { fileURLToPath } from "node:url";
import type { Config } from "../../config/mod.js";
import {
  createOwnershipTable,
  createShardMap,
  createThreadMesh,
  type EndpointId,
  type MeshEvent,
  SHARD_COUNT,
  type ThreadSpec,
} from "../actors/runtime/mod.js";
import { freePort } from "../gateway/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { type Random, uuidV7 } from "../lib/random.js";
import { createPostgresActorStore } from "../store/postgres/mod.js";
import { measureCluster } from "./cluster-metrics.js";
import { connectionsOf, totalOf } from "./connections.js";
import { makeDataDirectory } from "./data-directory.js";
import { startEvents } from "./events.js";
import { type OpenGateway, openGateway } from "./gateway-endpoint.js";
import { startHousekeeping } from "./housekeeping.js";
import { openNodeLink } from "./link.js";
import { derivedWebhookSecret, startBookkeeper } from "./money.js";
import { measureNotifier } from "./notification-metrics.js";
import { startNotifier } from "./notifications.js";
import { openPayment } from "./payment-process.js";
import { endpointsOf, planThreads, type ThreadPlan } from "./plan.js";
import { reachableAt } from "./reachable.js";
import { startSearch } from "./search.js";
import { loadSecrets, type NodeSecrets } from "./secrets.js";
import { aloneShards, clusterShards } from "./shards.js";
import { openTruth } from "./store-process.js";

export interface RunningNode {
  readonly url: string;
  readonly secrets: NodeSecrets;
  readonly connectionString: string;
  readonly paymentLedgerFile: string | null;
  readonly gateway: OpenGateway;
  /** Stops admitting, tells clients to come back, finishes writes, ends every part. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Something is broken that the node cannot mend: it has to end. */
  readonly onFatal: (reason: string) => void;
}

/** Beyond the time that clients are given to leave: a thread that is stuck says nothing. */
const DRAIN_PATIENCE_MS = 2_000;

export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { config, clock, random, log, version, onFatal } = options;
  const undo: (() => Promise<void> | void)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const step of undo.reverse().splice(0)) {
      try {
        await step();
      } catch (cause) {
        log.error({ error: cause }, "A part of the node did not stop in order");
      }
    }
  };
  try {
    const threads = planThreads(config);
    const { gateways, workers } = endpointsOf(config.node.id, threads);
    makeDataDirectory(config.node.dataDir);
    // Asked first, so that a node started twice by mistake ends before it takes anything from the one that runs. Threads
    // that share a port must all be given the same.
    const isMember = config.cluster.natsUrl !== null;
    const isNamed = isMember || gateways.length > 1 || config.http.port !== 0;
    const wantedPort = isNamed ? await freePort(config.http.host, config.http.port) : 0;
    const connections = totalOf(connectionsOf(config, threads));
    const truth = await openTruth(config, connections, clock, log, (reason) => onFatal(reason.message));
    undo.push(() => truth.stop());
    // Written only once the data directory is ours.
    const secrets = loadSecrets(
      config.node.dataDir,
      {
        ...(config.auth.privateKey === null ? {} : { signingKeyPem: config.auth.privateKey }),
        ...(config.auth.operatorSecret === null ? {} : { operatorSecret: config.auth.operatorSecret }),
        ...(config.auth.orderIdSecret === null ? {} : { orderIdSecret: config.auth.orderIdSecret }),
        ...(config.auth.masterKey === null ? {} : { masterKey: config.auth.masterKey }),
        ...(config.auth.previousMasterKey === null ? {} : { previousMasterKey: config.auth.previousMasterKey }),
      },
      random,
    );
    const payment = await openPayment(config, clock, log);
    undo.push(() => payment.stop());
    const store = createPostgresActorStore({ connectionString: truth.connectionString, clock, log });
    undo.push(() => store.close());

    const plan: ThreadPlan = {
      config,
      secrets,
      version,
      connectionString: truth.connectionString,
      paymentUrl: payment.url,
      gateways,
      workers,
      port: wantedPort,
      searchName: `search ${uuidV7(clock.now(), random)}`,
    };
    const ownership = createOwnershipTable(workers.length);
    const shardMap = createShardMap();
    const ownedShards = (): readonly number[] =>
      Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
        (shard) => ownership.epochOf(shard % workers.length, shard) !== null,
      );
    const { connectionString } = truth;
    const events = startEvents({ config, connectionString, ownedShards, clock, log });
    undo.push(() => events.stop());
    const bookkeeper = startBookkeeper(connectionString, clock, log);
    undo.push(() => bookkeeper.stop());
    const notifier = startNotifier({ plan, index: store, clock, random, log });
    undo.push(() => notifier.stop());
    if (config.search.enabled) {
      const search = startSearch(plan, clock, log);
      undo.push(() => search.stop());
    }
    undo.push(startHousekeeping(store, events.isRelayed ? null : events.outbox, clock, log));
    const spec = (endpoint: EndpointId, role: ThreadSpec["role"], script: string): ThreadSpec => ({
      endpoint,
      role,
      script: new URL(script, import.meta.url),
      data: plan,
    });
    const mesh = createThreadMesh({
      self: gateways[0]!,
      threads: [
        ...workers.map((endpoint) => spec(endpoint, "shards", "./shard-thread.js")),
        ...gateways.slice(1).map((endpoint) => spec(endpoint, "gateway", "./gateway-thread.js")),
      ],
      shardMap,
      ownership,
      clock,
      beforeRestart: (worker) => shards.reclaim(worker),
      onFatal: (endpoint, reason) => onFatal(`Thread ${endpoint} cannot be kept alive: ${reason}`),
      onEvent: (event) => reportThread(log, event),
    });
    const url = reachableAt(config.http.host, wantedPort);
    const shards = (isMember ? clusterShards : aloneShards)({
      config,
      connectionString: truth.connectionString,
      store,
      mesh,
      ownership,
      shardMap,
      workers: workers.length,
      url: config.cluster.url ?? url,
      clock,
      random,
      log,
      onFatal,
    });
    undo.push(() => shards.stop());
    const main = openNodeLink({ local: mesh.link, config, clock, random, log });
    undo.push(() => main.close());
    const gateway = openGateway({
      plan,
      endpoint: gateways[0]!,
      link: main.link,
      shardMap,
      clock,
      random,
      log,
      wholeProcess: true,
      ready: () => ownership.mayEmit() || main.isConnected(),
      measure: (metrics) => {
        measureCluster(
          metrics,
          () => shards.status(),
          () => events.stats(),
        );
        measureNotifier(metrics, () => notifier.stats());
      },
      info: () => ({ cluster: shards.status(), events: events.stats() }),
    });
    undo.push(() => gateway.close());
    undo.push(() => mesh.stop());
    await shards.prepare();
    await mesh.start();
    await shards.start();
    const port = await gateway.listen(plan.port, gateways.length > 1);
    await mesh.open();
    const webhookUrl = `${reachableAt(config.http.host, port)}/v1/payments/webhooks`;
    await payment.announce(webhookUrl, config.payment.webhookSecret ?? derivedWebhookSecret(secrets));
    return {
      url: reachableAt(config.http.host, port),
      secrets,
      connectionString: truth.connectionString,
      paymentLedgerFile: payment.ledgerFile,
      gateway,
      async stop() {
        // Clients of all threads leave while the shards do: what they still ask is answered by the shards' new owners.
        await Promise.all([gateway.drain(), mesh.drain(config.node.drainMs + DRAIN_PATIENCE_MS), shards.drain()]);
        await stopAll();
      },
    };
  } catch (cause) {
    await stopAll();
    throw cause;
  }
}

function reportThread(log: Log, event: MeshEvent): void {
  const fields = { part: "threads", ...event };
  switch (event.kind) {
    case "started":
    case "ready":
    case "stopped":
      log.info(fields, `A thread is ${event.kind}`);
      return;
    case "restarting":
      log.warn(fields, "A thread is started again");
      return;
    case "died":
    case "stuck":
    case "restart_failed":
    case "unsendable":
      log.error(fields, "A thread is in trouble");
      return;
  }
}

/** The compiled entry of a node, for those who start one as a process. */
export const MAIN_SCRIPT = fileURLToPath(new URL("../main.js", import.meta.url));
