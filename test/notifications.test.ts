/** A node with its database, from what happens to an order to what people are told outside the apps. */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { OwnNode } from "../simulator/live/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import type { InboxView, NotificationRecord, OrderView, PlacedReply } from "../src/protocol/mod.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const PROFILE = {
  name: "Lokanta",
  lat: 41,
  lng: 29,
  currency: "TRY",
  items: [{ itemId: "soup", name: "Soup", priceMinor: 500 }],
};
/** A ladder of seconds: each step waits for its own time, not for ours. */
const SHORT = [
  ...["--domain.restaurant.againMs", "500", "--domain.restaurant.pushAfterMs", "1000"],
  ...["--domain.restaurant.secondAfterMs", "1500", "--domain.restaurant.callAfterMs", "2000"],
  ...["--domain.order.acceptDeadlineMs", "5000", "--search.enabled", "false"],
];

t.test(
  "R-COM-3, R-RST-4, R-ORD-8: a kitchen without a tablet is reached for step by step, the order ends, the customer is " +
    "told, and operations see why, mend it and drive it again",
  async (t) => {
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-notify-"))), "postgres");
    const own = new OwnNode({ dataDir, timeScale: 1, onRestart: () => undefined, extraArguments: SHORT });
    t.teardown(async () => {
      await own.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const { url, operatorSecretFile } = await own.start();
    const call = async <R>(method: string, path: string, token: string, key: string, body?: unknown): Promise<R> => {
      for (;;) {
        const response = await fetch(`${url}${path}`, {
          method,
          headers: { authorization: token, "content-type": "application/json", "idempotency-key": key },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const answer = (await response.json()) as R;
        if (response.ok || !JSON.stringify(answer).includes('"temporary":true')) return answer;
        await sleep(clock, 100);
      }
    };
    const eventually = async <R>(what: string, look: () => Promise<R | null>): Promise<R> => {
      for (let tries = 0; tries < 1_200; tries++) {
        const found = await look();
        if (found !== null) return found;
        await sleep(clock, 50);
      }
      throw new Error(`waited in vain: ${what}`);
    };
    const secret = readFileSync(operatorSecretFile, "utf8").trim();
    const principals = [
      { id: "r1", role: "restaurant" },
      { id: "ann", role: "customer" },
      { id: "sue", role: "support" },
      { id: "root", role: "admin" },
    ];
    const issued = await call<{ tokens: string[] }>("POST", "/v1/tokens", `Operator ${secret}`, "t", {
      principals,
      ttlSeconds: 3600,
    });
    const [kitchen = "", ann = "", sue = "", root = ""] = issued.tokens.map((token) => `Bearer ${token}`);
    // An admin's word lists it; what its own people write first is a draft.
    await call("PUT", "/v1/restaurants/r1", root, "menu", PROFILE);
    await call("PUT", "/v1/me/notifications", ann, "w", { locale: "tr", kinds: { order_cancelled: ["push"] } });
    const wished = await call("PUT", "/v1/me/notifications/devices/phone", ann, "d", { token: "ann-phone" });
    t.match(wished, { locale: "tr", devices: [{ deviceId: "phone" }] });

    const { orderId } = await call<PlacedReply>("POST", "/v1/orders", ann, "o", {
      restaurantId: "r1",
      lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
      destination: { lat: 41.01, lng: 29 },
      currency: "TRY",
    });
    const list = async (state: string) =>
      (await call<{ notifications: NotificationRecord[] }>("GET", `/v1/notifications?state=${state}`, sue, "l"))
        .notifications;
    const view = await eventually("the order's end", async () => {
      const found = await call<OrderView>("GET", `/v1/orders/${orderId}`, ann, "v");
      return found.status === "cancelled" ? found : null;
    });
    t.match(view, { status: "cancelled", reason: "restaurant_did_not_answer" });
    const why = view.timeline.filter(({ kind }) => kind === "escalated").map(({ reason }) => reason);
    t.same(why, [
      "restaurant: push, no tablet has the order",
      "restaurant: sms, no tablet has the order",
      "restaurant: call, no tablet has the order",
    ]);

    const sandbox = join(dataDir, "notifications-sandbox.jsonl");
    const toAnn = await eventually("the customer's messages", async () => {
      if (!existsSync(sandbox)) return null;
      const lines = readFileSync(sandbox, "utf8").trim().split("\n");
      const told = lines.map((line) => JSON.parse(line) as { to: string; title: string; id: string });
      const mine = told.filter(({ to }) => to === "ann-phone");
      return mine.some(({ title }) => title === "Sipariş iptal edildi") ? mine : null;
    });
    t.same(
      [...new Set(toAnn.map(({ title }) => title))].sort(),
      ["Sipariş iptal edildi", "Sipariş onaylandı"],
      "in her language; a message that was told twice would have the same id",
    );

    const dead = await eventually("what was given up", async () => {
      const found = (await list("dead")).filter(({ kind }) => kind === "order_waiting");
      return found.length === 3 ? found : null;
    });
    t.same(dead.map(({ channel, reason }) => [channel, reason]).sort(), [
      ["call", "there is no address"],
      ["push", "there is no address"],
      ["sms", "there is no address"],
    ]);
    const inbox = await eventually("the pause", async () => {
      const found = await call<InboxView>("GET", "/v1/restaurants/r1/inbox", sue, "i");
      return found.doors?.paused === undefined ? null : found;
    });
    t.match(inbox, { missed: 1, doors: { open: false, paused: { reason: /not answered/ } }, orders: [] });

    await call("PUT", "/v1/me/notifications/devices/tablet", kitchen, "d", { token: "kitchen-tablet" });
    const pushed = dead.find(({ channel }) => channel === "push")!;
    const again = { notificationId: pushed.notificationId, reason: "its tablet has a token now" };
    t.match(await call("POST", "/v1/notifications/retry", sue, "again", again), { state: "waiting" });
    await eventually("it is told", async () =>
      (await list("sent")).some(({ notificationId }) => notificationId === pushed.notificationId) ? true : null,
    );
    for (const _retried of [1, 2]) {
      const resumed = await call<object>("POST", "/v1/restaurants/r1/resume", sue, "back", { reason: "they are back" });
      t.match(resumed, { menuVersion: Number });
    }
    const { entries } = await call<{ entries: { action: string; reason: string }[] }>("GET", "/v1/audit", sue, "a");
    t.match(entries, [
      { action: "restaurant.resume", reason: "they are back" },
      { action: "notification.retry", reason: "its tablet has a token now" },
    ]);
    t.match(await call("GET", "/v1/restaurants/r1/inbox", kitchen, "i2"), { missed: 0, doors: { open: true } });
  },
);
