/** A node with several gateway threads leaves: whoever is connected to any of them hears so at once, and nobody else is let in. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import WebSocket from "ws";
import { loadConfig } from "../config/mod.js";
import { NodeControl } from "../simulator/live/mod.js";
import { systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import { OP, SOCKET_PATH, SUBPROTOCOL_JSON } from "../src/protocol/mod.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";
import { openSocket } from "./support/json-socket.js";

const clock = systemClock();
/** The system deals connections out to the threads by chance: of so many all at one thread is not to be expected. */
const MANY = 16;

/** The status of `/readyz` on a connection of its own. */
const readyz = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(`${url}/readyz`, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on("error", reject);
  });

/** Whether a new socket is let in. */
const isLetIn = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http", "ws") + SOCKET_PATH, SUBPROTOCOL_JSON);
    socket.once("open", () => {
      resolve(true);
      socket.terminate();
    });
    socket.once("error", () => resolve(false));
  });

const times = <T>(make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: MANY }, (_, n) => make(n)));

t.test(
  "R-CLU-4: every thread of a node that leaves says so at once, to its clients and to the balancer",
  { timeout: 110_000 },
  async (t) => {
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-drain-"))), "postgres");
    const config = loadConfig({ argv: ["--port", "0", "--data-dir", dataDir, "--search.enabled", "false"], env: {} });
    const node = await startNode({
      // Far longer than the test: whoever hears only when others have left hears too late.
      config: { ...config, node: { ...config.node, shardWorkers: 1, gatewayThreads: 1, drainMs: 600_000 } },
      version: "test",
      clock,
      random: systemRandom(),
      log: silentLog,
      onFatal: (reason) => t.fail(reason),
    });
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
    const { url } = node;
    const control = new NodeControl({ url, operatorSecret: node.secrets.operatorSecret, clock });
    const token = (await control.tokens([{ id: "boss", role: "admin" }])).get("boss")!;
    const sockets = await times((n) => openSocket(url, token, `device-${n}`));
    t.same(await times(() => readyz(url)), new Array(MANY).fill(200));

    const stopped = node.stop();
    const heard = await Promise.all(sockets.map((socket) => socket.next(OP.goaway)));
    t.equal(heard.length, MANY, "all have heard, while none has left");
    t.same(await times(() => readyz(url)), new Array(MANY).fill(503), "no thread says that it is ready");
    t.same(await times(() => isLetIn(url)), new Array(MANY).fill(false), "nor lets anybody in");
    for (const socket of sockets) socket.close();
    await stopped;
  },
);
