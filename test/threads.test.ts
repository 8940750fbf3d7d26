/** A node of several gateway threads and workers: the kernel chooses who answers, and all of them must tell the same. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../config/mod.js";
import { systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

/** On a line of its own, so that it may reach any thread. */
function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

t.test("R-OPS-3: every gateway thread tells of the whole node", { timeout: 120_000 }, async (t) => {
  const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-threads-"))), "postgres");
  const argv = ["--port", "0", "--data-dir", dataDir, "--node.shardWorkers", "2", "--node.gatewayThreads", "2"];
  const config = loadConfig({ argv: [...argv, "--node.drainMs", "0"], env: {} });
  const node = await startNode({
    config,
    version: "test",
    clock: systemClock(),
    random: systemRandom(),
    log: silentLog,
    onFatal: (reason) => t.fail(reason),
  });
  t.teardown(async () => {
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const threads = ["gateway-0", "gateway-1", "gateway-2", "shards-0", "shards-1"].map((name) => `node-1/${name}`);
  let text = "";
  for (let scrape = 0; scrape < 8; scrape++) {
    text = await get(`${node.url}/metrics`);
    const late = text.matchAll(/^swift_runtime_heap_used_bytes\{thread="([^"]+)"\}/gm);
    t.strictSame([...late].map((match) => match[1]).sort(), threads);
    t.match(text, /^swift_cluster_members_count\{thread="node-1\/gateway-0"\} 0$/m);
    t.strictSame(Object.keys(JSON.parse(await get(`${node.url}/v1/node`))).sort(), [
      ...["cluster", "events", "node", "serverTime", "timeScale", "version"],
    ]);
  }
  t.match(text, /^swift_gateway_answers_total\{status="200",thread="node-1\/gateway-\d"\} [1-9]/m);
  t.match(text, /^swift_engine_store_stalled_count\{thread="node-1\/shards-1"\} 0$/m);
  t.match(text, /^swift_engine_flush_ms_count\{thread="node-1\/shards-0"\} \d/m);
  t.match(text, /^swift_orders_open_count\{status="placed",thread="node-1\/gateway-0"\} 0$/m);
  t.match(text, /^swift_gateway_ready_count\{thread="node-1\/gateway-1"\} 1$/m);
});
