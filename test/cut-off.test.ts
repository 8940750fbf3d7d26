/** Of two real nodes one is cut off from its servers, one after the other: who sends it traffic by `/readyz`, and when no more. */
import { get } from "node:http";
import t from "tap";
import { type LocalNode, startLocalCluster } from "../simulator/cluster/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { missingProgram } from "./support/servers.js";

const clock = systemClock();
/** So many connections reach every thread of a node. */
const MANY = 12;

/** What `/readyz` says on a connection of its own. */
const readyz = (node: LocalNode): Promise<string> =>
  new Promise((resolve, reject) => {
    get(`${node.url}/readyz`, { agent: false }, (answer) => {
      let body = "";
      answer.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      answer.on("end", () => resolve(`${answer.statusCode} ${body}`));
    }).on("error", reject);
  });
const times = (node: LocalNode): Promise<string[]> => Promise.all(Array.from({ length: MANY }, () => readyz(node)));

async function untilAll(node: LocalNode, says: RegExp): Promise<void> {
  while (!(await times(node)).every((answer) => says.test(answer))) await sleep(clock, 100);
}

t.test(
  "R-OPS-3, R-CLU-5: a node without the database is ready while it hears the others, and not when it is cut off from them too",
  { skip: missingProgram("nats") || missingProgram("redis"), timeout: 150_000 },
  async (t) => {
    const cluster = await startLocalCluster({ nodes: 2, environment: { GATEWAY_THREADS: "1", SHARD_WORKERS: "1" } });
    t.teardown(() => cluster.stop());
    const [a, b] = cluster.nodes as [LocalNode, LocalNode];
    t.match(await times(a), Array(MANY).fill(/^200 .*"answers"/));

    await a.proxies.postgres.cut("both", "reset");
    await untilAll(a, /^200 .*"away"/);
    // Until it may speak for nobody: the other has its shards by then.
    while ((await shards(b)) < 512) await sleep(clock, 100);
    t.match(await times(a), Array(MANY).fill(/^200 .*"away"/), "its clients reach the other through it");

    await a.proxies.nats.cut("both", "drop");
    await untilAll(a, /^503 .*unavailable/);
    t.match(await times(b), Array(MANY).fill(/^200/), "the other serves");

    await a.proxies.nats.heal();
    await untilAll(a, /^200 .*"away"/);
    await a.proxies.postgres.heal();
    await untilAll(a, /^200 .*"answers"/);
  },
);

async function shards(node: LocalNode): Promise<number> {
  const { cluster } = (await (await fetch(`${node.url}/v1/node`)).json()) as { cluster: { shards: unknown[] } };
  return cluster.shards.length;
}
