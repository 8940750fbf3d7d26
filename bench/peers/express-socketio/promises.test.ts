import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { sleep, systemClock } from "../../../src/lib/clock.js";
import { startProgram } from "../../harness/program.js";
import { createStage } from "../../harness/stage.js";
import { openSocketIo } from "../lib/socket-io-client.js";
import { ORDER_MINOR, type OrdersAudit, type ProgramOptions } from "../ports.js";
import { CENTER, DISH, PRICE_MINOR, restaurantOf } from "./seed.js";
import { type Role, tokenOf } from "./tokens.js";

const clock = systemClock();
const LOOK_EVERY_MS = 20;

interface Heard {
  readonly name: string;
  readonly body: { readonly orderId: string; readonly keptAs: number };
}

t.test("R-BEN-1: the program beside ours keeps what ours promises: answers, pushes, payments, books", async (t) => {
  const runDirectory = mkdtempSync(join(tmpdir(), "swift-peer-test-"));
  const stage = createStage({ seconds: 1, scale: 1, profileDirectory: null, runDirectory, note: () => undefined });
  t.teardown(async () => {
    await stage.close();
    rmSync(runDirectory, { recursive: true, force: true });
  });
  const databaseUrl = await stage.database("peer");
  const plan = { restaurants: 1, drivers: 1, customers: 1 };
  const options: ProgramOptions = { scenario: "orders", databaseUrl, redisUrl: await stage.redis(), plan };
  const start = () => startProgram(new URL("./program.js", import.meta.url), options);
  let program = await start();
  t.teardown(() => program.stop());

  const restaurant = restaurantOf(0);
  async function post(role: Role, id: string, path: string, body: unknown = {}, key = path) {
    const answer = await fetch(`http://${program.address.host}:${program.address.port}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${tokenOf({ id, role })}`,
        "idempotency-key": key,
      },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
  async function line(role: Role, id: string) {
    const heard: Heard[] = [];
    const opened = await new Promise<ReturnType<typeof openSocketIo>>((resolve, reject) => {
      const socket = openSocketIo({
        ...program.address,
        auth: { token: tokenOf({ id, role }) },
        recovery: null,
        onConnect: () => resolve(socket),
        onEvent: (name, body) => heard.push({ name, body: body as Heard["body"] }),
        onClose: (reason) => reject(new Error(reason)),
      });
    });
    return { ...opened, heard };
  }
  async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await sleep(clock, LOOK_EVERY_MS);
    }
  }
  const told = (heard: readonly Heard[], name: string) => until(() => heard.find((each) => each.name === name));
  const count = async (table: string): Promise<number> => {
    const [row] = await stage.query<{ count: string }>(`SELECT count(*) FROM ${table}`, databaseUrl);
    return Number(row!.count);
  };

  const tablet = await line("restaurant", restaurant);
  const driver = await line("driver", "d");
  await new Promise<void>((resolve) =>
    driver.emit("fix", { sequence: 1, at: clock.now(), ...CENTER }, () => resolve()),
  );
  await post("driver", "d", "/v1/drivers/me/online", { name: "D", vehicle: "bicycle" });
  const placing = {
    restaurantId: restaurant,
    lines: [{ itemId: DISH, quantity: 1, unitPriceMinor: PRICE_MINOR }],
    destination: { lat: CENTER.lat + 0.01, lng: CENTER.lng },
    currency: "EUR",
  };
  const placed = await post("customer", "c", "/v1/orders", placing, "one");
  t.same(await post("customer", "c", "/v1/orders", placing, "one"), placed, "placed once");
  const orderId = String(placed.body.orderId);

  const first = await told(tablet.heard, "order.new");
  t.equal(first.body.orderId, orderId);
  tablet.cut();
  const again = await line("restaurant", restaurant);
  const second = await told(again.heard, "order.new");
  t.equal(second.body.keptAs, first.body.keptAs, "nobody has acknowledged it: it is told again");
  again.emit("heard", second.body.keptAs);
  await until(async () => ((await count("inbox")) === 0 ? true : undefined));
  again.cut();
  const third = await line("restaurant", restaurant);

  const accept = `/v1/orders/${orderId}/accept`;
  const accepted = await post("restaurant", restaurant, accept);
  t.equal(accepted.status, 200);
  t.equal(accepted.body.status, "accepted");
  const reused = { status: 422, body: { error: { code: "key_reused" } } };
  t.match(
    await post("restaurant", restaurant, `/v1/orders/${orderId}/ready`, {}, accept),
    reused,
    "for a step to come",
  );
  const offer = await told(driver.heard, "offer.made");
  t.equal((await post("restaurant", restaurant, `/v1/orders/${orderId}/ready`)).body.status, "ready");
  t.same(await post("restaurant", restaurant, accept), accepted, "a repeated command is answered as it was");
  t.match(await post("restaurant", restaurant, `/v1/orders/${orderId}/ready`, {}, accept), reused, "for a step taken");
  t.notOk(
    third.heard.some(({ name }) => name === "order.new"),
    "what was acknowledged is told no more",
  );
  const take = `/v1/drivers/me/offers/${(offer.body as unknown as { offerId: string }).offerId}/accept`;
  const taken = await post("driver", "d", take);
  t.equal(taken.status, 200);
  t.match(await post("driver", "d", take), { status: 200, body: { orderId } }, "taken once");
  await told(driver.heard, "trip.changed");
  for (const step of ["pickup", "deliver"])
    t.equal((await post("driver", "d", `/v1/drivers/me/orders/${orderId}/${step}`)).status, 200);
  const audit = await until(async () => {
    const found = (await program.ask({ audit: true })) as OrdersAudit;
    return found.capturedMinor > 0 ? found : undefined;
  });
  t.same(audit, { delivered: 1, capturedMinor: ORDER_MINOR });
  t.equal(await count("task"), 0, "nothing is left to do at the bank");
  t.equal(await count("command"), 5, "accept, ready, take, pickup, deliver");
  const sums = await stage.query(
    "SELECT count(*)::int AS lines, sum(amount_minor)::int AS sum FROM ledger_entry",
    databaseUrl,
  );
  t.same(sums, [{ lines: 9, sum: 0 }], "the books balance");
  const owed = "SELECT sum(amount_minor)::int AS sum FROM ledger_entry WHERE account = 'receivable'";
  t.same(await stage.query(owed, databaseUrl), [{ sum: 0 }], "and nobody owes anything any more");
  for (const each of [third, driver]) each.cut();

  // Wherever the payment was when the process was killed: the next one brings the order to its tablet.
  const last = await post("customer", "c", "/v1/orders", placing, "two");
  t.equal(last.status, 201);
  process.kill(program.pid, "SIGKILL");
  await t.rejects(program.ask({ audit: true }));
  program = await start();
  const fourth = await line("restaurant", restaurant);
  const { orderId: lastId } = last.body;
  await until(() => fourth.heard.find(({ name, body }) => name === "order.new" && body.orderId === lastId));
  t.equal((await post("restaurant", restaurant, `/v1/orders/${lastId}/accept`)).body.status, "accepted");
  t.equal(await count("task"), 0);
  fourth.cut();
});
