/** Two hundred customers want the last fifty portions of a running node with its database, all at once. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { OwnNode } from "../simulator/live/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import type { MenuView, OrderView, PlacedReply } from "../src/protocol/mod.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const BUYERS = 200;
const PORTIONS = 50;
const PROFILE = {
  name: "Lokanta",
  lat: 41,
  lng: 29,
  currency: "TRY",
  items: [
    {
      itemId: "soup",
      name: "Soup",
      priceMinor: 500,
      stock: PORTIONS,
      options: [
        { groupId: "size", name: "Size", min: 1, choices: [{ choiceId: "large", name: "Large", priceMinor: 150 }] },
      ],
    },
  ],
};
const LINE = {
  itemId: "soup",
  quantity: 1,
  unitPriceMinor: 500,
  options: [{ groupId: "size", choiceId: "large", priceMinor: 150 }],
};

t.test(
  "rule 17 R-RST-5: two hundred buyers of fifty portions: fifty are sold, and what is cancelled is sold again",
  async (t) => {
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-portions-"))), "postgres");
    const own = new OwnNode({ dataDir, timeScale: 1, onRestart: (how) => t.fail(`the node ended: ${how}`) });
    t.teardown(async () => {
      await own.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const { url, operatorSecretFile } = await own.start();
    /** Asks again with the same key while the node says that it is busy, as clients do. */
    const answer = async <R>(path: string, init: RequestInit): Promise<{ status: number; body: R }> => {
      for (;;) {
        const response = await fetch(`${url}${path}`, init);
        const body = (await response.json()) as R & { error?: { temporary: boolean } };
        if (body.error?.temporary !== true) return { status: response.status, body };
        await sleep(clock, 200);
      }
    };
    const call = <R>(method: string, path: string, token: string, body?: unknown, key = "k") =>
      answer<R>(path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": key },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const eventually = async (isSo: () => Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await sleep(clock, 50);
    };
    const people = [
      { id: "a1", role: "admin" },
      ...Array.from({ length: BUYERS }, (_, i) => ({ id: `c${i}`, role: "customer" })),
    ];
    const secret = readFileSync(operatorSecretFile, "utf8").trim();
    const issued = await answer<{ tokens: string[] }>("/v1/tokens", {
      method: "POST",
      headers: { authorization: `Operator ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ principals: people, ttlSeconds: 3600 }),
    });
    const [admin = "", ...buyers] = issued.body.tokens;
    t.equal((await call("PUT", "/v1/restaurants/r1", admin, PROFILE)).status, 200);
    const order = { restaurantId: "r1", lines: [LINE], destination: { lat: 41.01, lng: 29 }, currency: "TRY" };
    const buy = (token: string, key: string) =>
      call<PlacedReply & { error?: { code: string } }>("POST", "/v1/orders", token, order, key);
    // Each asks twice with one key, as phones do.
    const placed = await Promise.all(
      buyers.map(async (token) => (await Promise.all([buy(token, "k"), buy(token, "k")]))[0]),
    );

    const statusOf = async (i: number): Promise<string> => {
      const { status, body } = placed[i]!;
      // The menu at the door may have known already.
      if (status !== 200) return body.error?.code === "item_unavailable" ? "refused" : `unexpected ${status}`;
      return (await call<OrderView>("GET", `/v1/orders/${body.orderId}`, buyers[i]!)).body.status;
    };
    const now: string[] = buyers.map(() => "placed");
    await eventually(async () => {
      for (const [i, status] of now.entries()) if (status === "placed") now[i] = await statusOf(i);
      return !now.includes("placed");
    });
    const sold = now.flatMap((status, i) => (status === "confirmed" ? [i] : []));
    t.equal(sold.length, PORTIONS, "exactly fifty");
    t.equal(now.filter((status) => status === "rejected" || status === "refused").length, BUYERS - PORTIONS);
    t.match(placed[sold[0]!]?.body.totals, { itemsMinor: 650 }, "with what was chosen");

    const menu = async () => (await call<MenuView>("GET", "/v1/restaurants/r1/menu", admin)).body;
    await eventually(async () => (await menu()).items[0]?.left === 0);
    const cancelled = sold[0]!;
    const { orderId } = placed[cancelled]!.body;
    t.equal(
      (await call("POST", `/v1/orders/${orderId}/cancel`, buyers[cancelled]!, { reason: "no" }, "c")).status,
      200,
    );
    await eventually(async () => (await menu()).items[0]?.left === 1);
    const again = await buy(buyers[BUYERS - 1]!, "again");
    t.equal(again.status, 200);
    await eventually(
      async () =>
        (await call<OrderView>("GET", `/v1/orders/${again.body.orderId}`, buyers[BUYERS - 1]!)).body.status ===
        "confirmed",
    );
  },
);
