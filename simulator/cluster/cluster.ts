/**
 * A cluster of real processes and real servers on this machine, for people and for tests.
 *
 * Owns: the servers, the nodes, the ways between them, their data. Does not own what the nodes do. Invariants: every
 * process keeps its port and its data over restarts; nothing outlives the process that started the cluster, however
 * that one ends; what is temporary is removed.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../../src/lib/clock.js";
import { migrate } from "../../src/store/postgres/mod.js";
import { ClusterNode } from "./node.js";
import { isFree, quietPorts } from "./ports.js";
import { requirePrograms } from "./programs.js";
import { straight, throughProxies, type Urls } from "./proxies.js";
import { clusterSecrets } from "./secrets.js";
import { createDatabase, createNats, createPayment, createRedis, type Ground } from "./servers.js";
import { CannotStartCluster, type LocalCluster, type LocalClusterOptions, type LocalNode } from "./types.js";
import { startWarden } from "./warden/client.js";

const SERVERS = 4;
const MAX_NODES = 26;
const FIRST_LETTER = 97;

/** Resolves when every node is ready. Throws CannotStartCluster; then nothing is left. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { onProgress = () => {} } = options;
  const clock = systemClock();
  if (!Number.isInteger(options.nodes) || options.nodes < 0 || options.nodes > MAX_NODES) {
    throw new CannotStartCluster(`A local cluster has up to ${MAX_NODES} nodes, not ${options.nodes}.`);
  }
  const programs = requirePrograms();
  const isTemporary = options.dataDir === undefined;
  const dataDir = isTemporary ? mkdtempSync(join(tmpdir(), "swift-eats-cluster-")) : resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const undo: (() => unknown)[] = [];
  const stopAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const step of undo.reverse().splice(0)) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "The cluster did not end in order.");
  };
  try {
    if (isTemporary) undo.push(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 }));
    const warden = startWarden();
    undo.push(() => warden.stop());
    if (isTemporary) await warden.tell({ do: "own", directory: dataDir });
    const ground: Ground = { dataDir, warden, clock };
    const secrets = clusterSecrets(dataDir);
    const ledgerFile = join(dataDir, "payment-sandbox.jsonl");
    // All at once: asked for one by one, two nodes could be given the same.
    const ports = await quietPorts(SERVERS + MAX_NODES);
    const [databasePort, natsPort, redisPort, paymentPort] = ports as [number, number, number, number];
    const nodePorts = ports.slice(SERVERS);

    onProgress("Starting PostgreSQL, NATS, Redis and the payment sandbox …");
    const database = await createDatabase(ground, databasePort);
    undo.push(() => database.release());
    const nats = createNats(ground, programs["nats-server"], natsPort);
    const redis = createRedis(ground, programs["redis-server"], redisPort);
    const payment = createPayment(ledgerFile, paymentPort, options.sandboxArguments ?? []);
    const servers = [database, nats, redis, payment];
    undo.push(() => Promise.all(servers.map((server) => server.stop())));
    await Promise.all(servers.map((server) => server.start()));
    await database.makeDatabase();
    // Once, before several nodes want to.
    await migrate(database.url);

    const nodes: LocalNode[] = [];
    undo.push(() => Promise.all(nodes.map((node) => node.terminate())));
    const straightUrls: Urls = { postgres: database.url, nats: nats.url, redis: redis.url };
    const addNode = async (): Promise<LocalNode> => {
      const index = nodes.length;
      if (index >= MAX_NODES) throw new CannotStartCluster(`A local cluster has at most ${MAX_NODES} nodes.`);
      const id = `node-${String.fromCharCode(FIRST_LETTER + index)}`;
      const plan = options.proxies === false ? straight(straightUrls) : null;
      const node = new ClusterNode({
        id,
        port: await portOf(index),
        ground,
        ways: plan ?? (await throughProxies(warden, id, straightUrls)),
        paymentUrl: payment.url,
        secrets,
        options,
      });
      nodes.push(node);
      return node;
    };
    const portOf = async (index: number): Promise<number> => {
      if (options.port === undefined) return nodePorts[index]!;
      const port = options.port + index;
      if (!(await isFree(port))) {
        throw new CannotStartCluster(`Port ${port} is taken. Give another first port with --port.`);
      }
      return port;
    };
    onProgress(`Starting ${options.nodes} ${options.nodes === 1 ? "node" : "nodes"} …`);
    while (nodes.length < options.nodes) await addNode();
    await Promise.all(nodes.map((node) => node.start()));
    await Promise.all(nodes.map((node) => node.ready()));

    let stopping: Promise<void> | null = null;
    return {
      nodes,
      database,
      nats,
      redis,
      payment,
      operatorSecret: secrets.operatorSecret,
      operatorSecretFile: secrets.operatorSecretFile,
      databaseUrl: database.url,
      ledgerFile,
      dataDir,
      urls: () => nodes.map(({ url }) => url),
      async addNode() {
        const node = await addNode();
        await node.start();
        await node.ready();
        return node;
      },
      stop() {
        stopping ??= stopAll();
        return stopping;
      },
    };
  } catch (error) {
    await stopAll().catch(() => {});
    throw error;
  }
}
