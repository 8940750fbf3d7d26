/** A node whose handler keeps throwing at what an older release left in an order: put aside, seen, mended, driven again. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../config/mod.js";
import { NodeControl } from "../simulator/live/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { decode, encode } from "../src/lib/msgpack.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import type { AuditEntry, DeadLetterRecord, OrderView } from "../src/protocol/mod.js";
import { openSession, withPostgres } from "../src/store/contract/postgres.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const SECRET = "the-secret-of-the-operator-of-dead-letters";

type Answer<R> = R & { readonly error?: { readonly code: string; readonly temporary: boolean } };

t.test(
  "R-ADM-5, R-ENG-8: a command that threw three times is listed, driven again in vain, and once its cause is mended " +
    "does what its customer wanted, once",
  { timeout: 280_000 },
  async (t) => {
    const { connectionString } = await withPostgres();
    const session = await openSession(t, connectionString);
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-letters-"))), "postgres");
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
    const config = loadConfig({
      argv: ["--port", "0", "--data-dir", dataDir, "--search.enabled", "false"],
      env: { DATABASE_URL: connectionString, OPERATOR_SECRET: SECRET },
    });
    const tokens = new Map<string, string>();
    async function start() {
      const node = await startNode({
        config: { ...config, node: { ...config.node, shardWorkers: 1, gatewayThreads: 0, drainMs: 100 } },
        version: "letters",
        clock,
        random: systemRandom(),
        log: silentLog,
        onFatal: (reason) => t.fail(reason),
      });
      const control = new NodeControl({ url: node.url, operatorSecret: SECRET, clock });
      for (const [who, token] of await control.tokens([
        { id: "ann", role: "customer" },
        { id: "sue", role: "support" },
        { id: "root", role: "admin" },
      ]))
        tokens.set(who, token);
      return node;
    }
    let node = await start();
    t.teardown(() => node.stop());
    const call = async <R>(
      who: string,
      method: string,
      path: string,
      key: string,
      body?: object,
    ): Promise<Answer<R>> => {
      const response = await fetch(node.url + path, {
        method,
        headers: {
          authorization: `Bearer ${tokens.get(who)}`,
          "content-type": "application/json",
          "idempotency-key": key,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await response.json()) as Answer<R>;
    };
    const menu = {
      name: "Lokanta",
      lat: 41,
      lng: 29,
      currency: "TRY",
      items: [{ itemId: "soup", name: "Soup", priceMinor: 500 }],
    };
    await call("root", "PUT", "/v1/restaurants/r1", "menu", menu);
    const { orderId } = await call<{ orderId: string }>("ann", "POST", "/v1/orders", "o", {
      restaurantId: "r1",
      lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
      destination: { lat: 41.01, lng: 29 },
      currency: "TRY",
    });
    const view = () => call<OrderView>("ann", "GET", `/v1/orders/${orderId}`, "v");
    while ((await view()).status !== "confirmed") await sleep(clock, 50);

    /** What the order keeps of its delivery, while no node has it in memory. */
    async function rewrite(delivery: object): Promise<void> {
      await node.stop();
      const where = "WHERE kind = 'order' AND key = $1";
      const { rows } = await session.query(`SELECT state FROM actor_snapshot ${where}`, [orderId]);
      const state = { ...decode<object>(rows[0].state), delivery };
      await session.query(`UPDATE actor_snapshot SET state = $2 ${where}`, [orderId, Buffer.from(encode(state))]);
      node = await start();
    }
    await rewrite({ status: "somewhere" });
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      const answer = await call("ann", "POST", `/v1/orders/${orderId}/cancel`, "c", { reason: "+90 555 123 45 67" });
      codes.push(answer.error?.code);
    }
    t.same(codes, ["internal", "internal", "quarantined", "quarantined"]);

    type List = { readonly letters: readonly DeadLetterRecord[] };
    const list = async (query = "") => (await call<List>("sue", "GET", `/v1/dead-letters${query}`, "l")).letters;
    const [letter, ...others] = await list();
    t.same(others, []);
    if (letter === undefined) throw new Error("there is no letter");
    t.match(letter, {
      source: "command",
      subject: `order/${orderId}`,
      name: "cancel",
      state: "waiting",
      attempts: 3,
      drives: 0,
      reason: /^its handler threw 3 times: TypeError: /,
    });
    t.notMatch(JSON.stringify(letter), /555/, "what was in it is not shown");
    t.same(await list("?source=effect"), []);
    const { letterId } = letter;
    const waiting = async () => {
      const response = await fetch(`${node.url}/metrics`, { headers: { authorization: `Operator ${SECRET}` } });
      return Number(/^swift_dead_letters_waiting_count\S* (\d+)/m.exec(await response.text())?.[1]);
    };
    const drive = (who: string, key: string, id = letterId) =>
      call<DeadLetterRecord>(who, "POST", "/v1/dead-letters/drive", key, { letterId: id, reason: "mended" });
    t.equal((await drive("ann", "1")).error?.code, "forbidden");
    t.equal((await drive("root", "1", "command:order/x:y")).error?.code, "not_found");
    t.match(await drive("root", "1"), { state: "waiting", drives: 1, answer: "internal" });
    t.equal((await list()).length, 1, "it waits on, and is put aside no second time");

    await rewrite({ status: "none" });
    while ((await waiting()) !== 1) await sleep(clock, 100);
    const driven = await Promise.all([drive("root", "2"), drive("sue", "2"), drive("root", "2")]);
    for (const answer of driven) t.match(answer, { state: "driven" });
    t.match(await view(), { status: "cancelled" });
    const ends = (await view()).timeline.filter(({ kind }) => kind === "cancelled");
    t.match(ends, [{ by: "customer" }], "in the name of who had wanted it, and once");
    t.match(await drive("root", "3"), { state: "driven" }, "which is what a repetition hears");
    t.same(await list(), []);
    t.match(await list("?state=driven"), [{ letterId, state: "driven" }]);
    const aside = { letterId, reason: "never mind" };
    t.equal(
      (await call("root", "POST", "/v1/dead-letters/set-aside", "4", aside)).error?.code,
      "illegal_transition",
      "what is done is done",
    );
    const { entries } = await call<{ entries: AuditEntry[] }>("sue", "GET", "/v1/audit", "a");
    const deeds = entries.filter(({ action }) => action === "dead_letter.drive");
    t.ok(deeds.length >= 2 && deeds.every(({ subject }) => subject.startsWith(`dead_letter/${letterId}`)));
    while ((await waiting()) !== 0) await sleep(clock, 100);
  },
);
