/**
 * A node's own threads in trouble, for real: through the inspector the shard worker is told to end itself, and then to
 * work without end. The node is the whole one, with its database and payment sandbox.
 */

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { Session } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../config/mod.js";
import { createClient } from "../sdk/node.js";
import { NodeControl } from "../simulator/live/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { recordingLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();

/** Runs JavaScript in every thread of this process with that script. Threads that think for shard workers end with them. */
function threadsHear(script: "shard-thread" | "search-thread"): {
  say(expression: string): void;
  readonly count: number;
  end(): void;
} {
  const session = new Session();
  const sessions = new Set<string>();
  let messages = 0;
  session.connect();
  session.on("NodeWorker.attachedToWorker", ({ params }) => {
    if (params.workerInfo.url.includes(script)) sessions.add(params.sessionId);
  });
  session.on("NodeWorker.detachedFromWorker", ({ params }) => void sessions.delete(params.sessionId));
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return {
    get count() {
      return sessions.size;
    },
    say(expression) {
      const message = JSON.stringify({ id: ++messages, method: "Runtime.evaluate", params: { expression } });
      for (const sessionId of sessions) session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
    },
    end: () => session.disconnect(),
  };
}

t.test(
  "R-ENG-8, R-ENG-4, R-SRC-2: dead and stuck threads of a running node are replaced; commands in flight are answered, and all is found",
  { timeout: 120_000 },
  async (t) => {
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-worker-"))), "postgres");
    const log = recordingLog();
    const config = loadConfig({ argv: ["--port", "0", "--data-dir", dataDir], env: {} });
    const oneWorker = { ...config, node: { ...config.node, shardWorkers: 1, gatewayThreads: 0, drainMs: 100 } };
    const node = await startNode({
      config: oneWorker,
      version: "test",
      clock,
      random: systemRandom(),
      log,
      onFatal: (reason) => t.fail(reason),
    });
    const workers = threadsHear("shard-thread");
    const searching = threadsHear("search-thread");
    t.teardown(async () => {
      workers.end();
      searching.end();
      await node.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const control = new NodeControl({ url: node.url, operatorSecret: node.secrets.operatorSecret, clock });
    const tokens = await control.tokens([{ id: "boss", role: "admin" }]);
    const { http } = createClient({ url: node.url, token: tokens.get("boss")!, clock });
    const publish = (restaurantId: string): Promise<unknown> =>
      http.configureRestaurant(restaurantId, {
        name: restaurantId,
        lat: 41,
        lng: 29,
        currency: "TRY",
        taxPerMille: 100,
        deliveryFeeMinor: 300,
        items: [{ itemId: "soup", name: "Soup", priceMinor: 500 }],
      });
    await publish("before");

    const said = (): unknown[] => log.lines.map(({ fields }) => fields.kind);
    const starts = (): number => said().filter((kind) => kind === "ready").length;
    for (const [how, expression] of [
      ["dead", "process.exit(7)"],
      ["stuck", "for (;;);"],
    ] as const) {
      const startsBefore = starts();
      while (workers.count !== 1) await sleep(clock, 10);
      const inFlight = Array.from({ length: 10 }, (_, index) => publish(`${how}-${index}`));
      workers.say(expression);
      const rest = Array.from({ length: 10 }, (_, index) => publish(`${how}-later-${index}`));
      const answers = await Promise.allSettled([...inFlight, ...rest]);
      t.strictSame(
        answers.filter(({ status }) => status === "rejected"),
        [],
        `${how}: every command is answered`,
      );
      while (starts() === startsBefore) await sleep(clock, 10);
    }
    // The replacement mirrors to the gateway and reads the store like the first one.
    for (const restaurantId of ["before", "dead-0", "stuck-later-9"]) {
      t.match(await http.menu(restaurantId), { name: restaurantId });
    }
    t.ok(said().includes("died") && said().includes("stuck"), "both befell it");
    t.equal(said().filter((kind) => kind === "restarting").length, 2, "and each was mended once");

    const found = async (): Promise<unknown> => {
      const reply = await fetch(`${node.url}/v1/search?lat=41&lng=29&q=soop`);
      return ((await reply.json()) as { readonly total?: number }).total;
    };
    while ((await found()) !== 41) await sleep(clock, 20);
    while (searching.count !== 1) await sleep(clock, 10);
    searching.say("process.exit(7)");
    while ((await found()) !== undefined) await sleep(clock, 1);
    while ((await found()) !== 41) await sleep(clock, 20);
    t.match(
      log.lines.filter(({ fields, level }) => fields.part === "search" && level === "warn"),
      [{ message: "The thread that searches is started again" }],
    );
  },
);
