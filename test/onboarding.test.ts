/**
 * A restaurant from the application to its first delivery, and its customer from signing up to being forgotten: a whole
 * node with its database, by HTTP alone.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loadConfig } from "../config/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import type { OrderView } from "../src/protocol/mod.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";
import { openSession } from "../src/store/postgres/fixtures/sessions.js";
import { provesOwnership } from "./support/ownership.js";

const clock = systemClock();
const PASSWORD = "a long enough sentence";
const ANA = { email: "ana.quintero@example.com", name: "Ana Quintero Ruiz", phone: "+573001234567" };
const DOOR = "14 Harbour Street, Lenneport";
const NOTE = "ring twice, the door is behind the bakery";
const REASON = "my sister Amaranta has cooked already";
const RIDER = "Danubio Quispe";
const OPINION = "The soup reminded me of my aunt Rosalba";
const CARD = "Visa of aunt Rosalba";

async function open(t: Test) {
  const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-onboarding-"))), "postgres");
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const argv = ["--port", "0", "--data-dir", dataDir, "--node.drainMs", "0", "--node.timeScale", "10"];
  argv.push("--gateway.gpsPerMinute", "6000", "--gateway.gpsBurst", "1000");
  const node = await startNode({
    config: loadConfig({ argv, env: {} }),
    version: "test",
    clock,
    random: systemRandom(),
    log: silentLog,
    onFatal: (reason) => t.fail(reason),
  });
  t.teardown(() => node.stop());
  let keys = 0;
  async function ask(
    authorization: string,
    method: string,
    path: string,
    body?: unknown,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  ): Promise<{ readonly status: number; readonly body: any }> {
    const answer = await fetch(node.url + path, {
      method,
      headers: {
        "content-type": "application/json",
        "idempotency-key": `key-${++keys}`,
        ...(authorization === "" ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  }
  const must = async (...request: Parameters<typeof ask>) => {
    const { status, body } = await ask(...request);
    if (status !== 200) throw new Error(`${request[1]} ${request[2]}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const operator = `Operator ${node.secrets.operatorSecret}`;
  const issued = await must(operator, "POST", "/v1/tokens", {
    principals: [{ id: "root", role: "admin" }],
    ttlSeconds: 600,
  });
  const signIn = async (email: string, role: string): Promise<string> =>
    `Bearer ${(await must("", "POST", "/v1/auth/sign-in", { email, password: PASSWORD, role })).accessToken}`;
  const admin = `Bearer ${issued.tokens[0]}`;
  return { ask, must, signIn, admin, operator, database: node.connectionString };
}

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(clock, 50);
};

t.test(
  "R-RST-1, R-ACC-3, R-ACC-4: applied, found on the map, approved, verified, searched, delivered; sealed at rest; then customer and driver are forgotten in every table",
  async (t) => {
    const { ask, must, signIn, admin, operator, database } = await open(t);

    // Applying. An address that nobody knows is refused before anything is kept.
    const owner = { email: "luz@example.com", password: PASSWORD };
    const opens = { name: "Sopas Luz", currency: "EUR", address: "12 harbor street", cuisines: ["soup"] };
    const application = { role: "restaurant", opens };
    const nowhere = { ...application, opens: { ...opens, address: "Yellow Brick Boulevard" } };
    t.match(await ask("", "POST", "/v1/accounts", { ...owner, application: nowhere }), {
      body: { error: { code: "address_unknown" } },
    });
    await must("", "POST", "/v1/accounts", { ...owner, application });
    const [asked] = (await must(admin, "GET", "/v1/applications?role=restaurant")).applications;
    t.match(asked.asks.opens, { address: "12 Harbour Street, Lenneport", lat: Number, lng: Number });
    t.match(await ask("", "POST", "/v1/auth/sign-in", { ...owner, role: "restaurant" }), {
      body: { error: { code: "role_missing", detail: { state: "applied" } } },
    });

    // Approved, it is a draft: there for its people and the market's, for nobody else.
    await must(admin, "POST", `/v1/applications/${asked.applicationId}/approve`, {});
    const house = asked.principalId as string;
    t.match((await must(admin, "GET", "/v1/admin/restaurants?status=draft")).restaurants, [
      { restaurantId: house, name: "Sopas Luz", items: 0 },
    ]);
    const luz = await signIn(owner.email, "restaurant");
    const path = `/v1/restaurants/${house}`;
    const draft = await must(luz, "GET", `${path}/menu`);
    t.equal((await ask("", "GET", `${path}/menu`)).status, 404);
    const { name, lat, lng, currency, address, cuisines } = draft;
    const items = [{ itemId: "caldo", name: "Caldo de costilla", priceMinor: 700, prepMinutes: 1 }];
    await must(luz, "PUT", path, { name, lat, lng, currency, address, cuisines, items });
    const search = async () =>
      (await must("", "GET", `/v1/search?lat=${lat}&lng=${lng}&q=costila`)).restaurants.map(
        (each: { restaurantId: string }) => each.restaurantId,
      );
    t.same(await search(), [], "not before an admin has looked");
    await must(admin, "POST", `${path}/status`, { status: "verified" });
    await until(async () => `${await search()}` === house);

    // An order to the door, with everything that is personal in it.
    await must("", "POST", "/v1/accounts", { ...ANA, password: PASSWORD });
    const ana = await signIn(ANA.email, "customer");
    await must(ana, "PUT", "/v1/me/addresses/home", { label: "Home", text: DOOR, note: NOTE, lat, lng });
    t.match(
      await ask(ana, "POST", "/v1/payment-methods", { token: "4111111111111111", label: CARD }),
      { status: 400, body: { error: { code: "invalid", detail: { path: "/token" } } } },
      "no number of a card is kept",
    );
    const card = await must(ana, "POST", "/v1/payment-methods", { token: "card", label: CARD });
    const order = {
      restaurantId: house,
      currency: "EUR",
      lines: [{ itemId: "caldo", quantity: 1, unitPriceMinor: 700 }],
      destination: { address: DOOR },
      note: NOTE,
      paymentMethod: card.methodId,
    };
    const statusOf = async (orderId: string) => (await must(ana, "GET", `/v1/orders/${orderId}/track`)).view.status;
    const [eaten, cancelled] = [
      (await must(ana, "POST", "/v1/orders", order)).orderId,
      (await must(ana, "POST", "/v1/orders", order)).orderId,
    ];
    await must(ana, "POST", `/v1/orders/${cancelled}/cancel`, { reason: REASON });
    await until(async () => (await statusOf(eaten)) === "confirmed");
    await must(luz, "POST", `/v1/orders/${eaten}/accept`, { prepMinutes: 1 });
    await must(luz, "POST", `/v1/orders/${eaten}/ready`, {});

    const rider = { email: "dan@example.com", password: PASSWORD };
    const wheels = { role: "driver", vehicle: "bicycle", documents: [] };
    await must("", "POST", "/v1/accounts", { ...rider, application: wheels });
    const [{ applicationId }] = (await must(admin, "GET", "/v1/applications?role=driver")).applications;
    await must(admin, "POST", `/v1/applications/${applicationId}/approve`, {});
    const dan = await signIn(rider.email, "driver");
    await must(dan, "PUT", "/v1/me/consents/location", { given: true });
    await must(dan, "POST", "/v1/drivers/me/online", { name: RIDER, vehicle: "bicycle", lat, lng });
    let seq0 = 0;
    let offerId = "";
    await until(async () => {
      const fixes = [[0, lat, lng, 5, 4, 90]];
      await ask(dan, "POST", "/v1/gps", { bootId: "b", seq0: seq0++, baseTs: Math.round(clock.now()), fixes });
      offerId = (await must(dan, "GET", "/v1/drivers/me/work")).offers[0]?.offerId ?? "";
      return offerId !== "";
    });
    await must(dan, "POST", `/v1/drivers/me/offers/${offerId}/accept`, {});
    await until(async () => (await must(dan, "GET", "/v1/drivers/me/work")).trip !== null);
    await must(dan, "POST", `/v1/drivers/me/orders/${eaten}/pickup`, {});
    await must(dan, "POST", `/v1/drivers/me/orders/${eaten}/deliver`, {});
    await until(async () => (await statusOf(eaten)) === "delivered");
    await must(ana, "POST", `/v1/orders/${eaten}/reviews`, { rated: "restaurant", stars: 5, text: OPINION });

    // Whose is it: everything above, looked at by people who took no part in it.
    const phone = await must(dan, "POST", "/v1/drivers/me/devices", { label: "Dan's phone" });
    const outsiders = await must(operator, "POST", "/v1/tokens", {
      principals: [
        ...(["customer", "driver", "restaurant"] as const).map((role) => ({ id: `outside-${role}`, role })),
        { id: "talker", role: "customer" },
      ],
      ttlSeconds: 600,
    });
    const room = await must(`Bearer ${outsiders.tokens[3]}`, "POST", "/v1/me/support-room", {});
    const strangers = (["customer", "driver", "restaurant"] as const).map((role, n) => ({
      role,
      authorization: `Bearer ${outsiders.tokens[n]}`,
    }));
    const things = {
      orderId: eaten,
      methodId: card.methodId,
      deviceId: phone.deviceId,
      roomId: room.roomId,
      restaurantId: house,
    };
    const accountId = (await must(ana, "GET", "/v1/me")).accountId as string;
    await provesOwnership(t, ask, things, strangers, [
      accountId,
      eaten,
      card.methodId,
      phone.deviceId,
      ANA.phone,
      NOTE,
    ]);
    t.match((await must(ana, "GET", "/v1/payment-methods")).methods, [{ methodId: card.methodId }], "nobody took it");
    t.match((await must(dan, "GET", "/v1/drivers/me/devices")).devices, [{ revokedAt: undefined }]);
    t.same((await must(ana, "GET", "/v1/orders")).orders.length, 2, "they are their owner's");

    const session = await openSession(t, database);
    const tables = await session.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT LIKE 'pg_%' AND schemaname <> 'information_schema'",
    );
    /** Tables in which a text stands, as text or within bytes. */
    async function tablesWith(text: string): Promise<readonly string[]> {
      const found: string[] = [];
      for (const { name } of tables.rows) {
        const { rowCount } = await session.query(
          `SELECT FROM ${name} r WHERE strpos(r::text, $1) > 0 OR strpos(r::text, $2) > 0 LIMIT 1`,
          [text, Buffer.from(text).toString("hex")],
        );
        if (rowCount !== 0) found.push(name);
      }
      return found;
    }
    t.ok(tables.rows.length > 20, `${tables.rows.length} tables are looked through`);
    const before = await must(admin, "GET", `/v1/orders/${eaten}`);
    t.equal(before.destination.address, DOOR, "who may know the door reads it");
    t.equal(before.driver.name, RIDER);
    for (const text of [DOOR, NOTE]) t.same(await tablesWith(text), [], `nowhere in the clear: ${text}`);
    t.ok((await tablesWith("sealed:v1.")).length >= 3, "it stands in several, sealed");
    for (const text of [OPINION, REASON, RIDER]) t.ok((await tablesWith(text)).length > 0, text);
    const kept = await must(ana, "GET", "/v1/me/export");
    t.match(
      kept.orders.map((each: OrderView) => each.destination),
      [{ address: DOOR }, { address: DOOR }],
      "she gets it with everything that is kept about her",
    );
    t.match(kept, {
      orderNotes: [{ orderId: eaten, note: NOTE }],
      paymentMethods: [{ methodId: card.methodId, label: CARD }],
      reviews: [{ orderId: eaten, rated: "restaurant", text: OPINION }],
    });
    t.notOk(JSON.stringify(kept).includes("4111111111111111"), "a token is nobody's to read");
    t.match(await must(dan, "GET", "/v1/me/export"), { trackingDevices: [{ deviceId: phone.deviceId }] });

    await must(ana, "POST", "/v1/me/erase", { password: PASSWORD });
    await must(dan, "POST", "/v1/me/erase", { password: PASSWORD });
    const secrets = [...Object.values(ANA), DOOR, NOTE, REASON, OPINION, CARD, RIDER];
    const left = async () => {
      const found: string[] = [];
      for (const text of secrets) {
        for (const table of await tablesWith(text)) found.push(`${text} in ${table}`);
      }
      return found;
    };
    let said = "";
    await until(async () => {
      const still = (await left()).join(", ");
      if (still !== said) t.comment(`still there: ${still}`);
      said = still;
      return still === "";
    });
    await until(async () => {
      const { rows } = await session.query("SELECT tried_at > asked_at + 900000 AS late FROM account_erasure");
      return rows.length === 2 && rows.every(({ late }) => late === true);
    });
    t.pass("and nothing more is to be done, but to look once more when nothing late can come");
    let after = before;
    // The copy that answers reads is told after the commit that the tables were just seen to have.
    await until(async () => {
      after = await must(admin, "GET", `/v1/orders/${eaten}`);
      return after.driver === undefined;
    });
    t.same([after.totals, after.lines, after.status], [before.totals, before.lines, "delivered"]);
    t.equal(after.driver, undefined, "who brought it has no name");
    t.match(after.destination, { address: undefined, lat: Number(before.destination.lat.toFixed(2)) });
    t.equal((await must("", "GET", `${path}/reviews`)).reviews[0].stars, 5, "the stars stay");
    t.equal((await ask(ana, "GET", "/v1/me")).status, 401);
  },
);
