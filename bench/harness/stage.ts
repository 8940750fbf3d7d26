/** What a run offers to its sides: PostgreSQL and Redis of its own, started when the first one asks, ended with the run. */
import { join } from "node:path";
import { Client } from "pg";
import { type LocalCluster, startLocalCluster } from "../../simulator/cluster/mod.js";
import type { Stage } from "./ports.js";

export interface OwnStage extends Stage {
  close(): Promise<void>;
}

export function createStage(options: {
  readonly seconds: number;
  readonly scale: number;
  readonly profileDirectory: string | null;
  /** Of the whole run, for what outlasts a scenario. */
  readonly runDirectory: string;
  readonly note: (line: string) => void;
}): OwnStage {
  let servers: Promise<LocalCluster> | null = null;
  let closed = false;
  const started = (): Promise<LocalCluster> => {
    if (closed) throw new Error("This scenario is over.");
    servers ??= startLocalCluster({ nodes: 0, proxies: false });
    return servers;
  };
  const ends: (() => Promise<void>)[] = [];
  let made = 0;
  async function query<Row extends object>(text: string, databaseUrl?: string): Promise<readonly Row[]> {
    const client = new Client({ connectionString: databaseUrl ?? (await started()).databaseUrl });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }
  return {
    ...options,
    scaled: (count, least = 1) => Math.max(least, Math.round(count * options.scale)),
    async database(name) {
      const url = new URL((await started()).databaseUrl);
      const database = `bench_${name.replaceAll(/\W/g, "_")}_${++made}`;
      await query(`CREATE DATABASE ${database}`);
      url.pathname = `/${database}`;
      return url.href;
    },
    query,
    async databaseLogBytes() {
      const [row] = await query<{ bytes: string }>("SELECT pg_current_wal_lsn() - '0/0' AS bytes");
      return Number(row!.bytes);
    },
    databasePid: async () => (await started()).database.pid!,
    redis: async () => (await started()).redis.url,
    directory: (name) => join(options.runDirectory, name),
    atEnd(run) {
      ends.push(run);
      // What was given up may still have been starting something.
      if (closed) void run().catch(() => undefined);
    },
    async close() {
      closed = true;
      for (const end of ends.reverse()) await end().catch((cause: unknown) => options.note(String(cause)));
      await (await servers)?.stop();
    },
  };
}
