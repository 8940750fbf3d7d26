import t from "tap";
import { defaultDomainSettings, domainActors } from "../src/actors/domain/mod.js";
import { scriptedActors } from "../src/gateway/fixtures/actors.js";
import { eventually, startHarness } from "../src/gateway/fixtures/harness.js";
import { systemClock } from "../src/lib/clock.js";
import { distanceMeters } from "../src/lib/geo.js";
import type { ArrivalQuote, MenuView } from "../src/protocol/mod.js";
import { createQuoteService } from "../src/services/quotes/mod.js";
import { builtInRouter } from "../src/services/routing/mod.js";

const MINUTE = 60_000;
const PLACE = { lat: 4.65, lng: -74.08 };
const HOME = { lat: 4.66, lng: -74.07 };
const clock = systemClock();
const profile = {
  name: "La Puerta",
  ...PLACE,
  currency: "COP",
  deliveryFeeMinor: 3_500,
  deliveryRadiusMeters: 3_000,
  items: [
    { itemId: "arepa", name: "Arepa", priceMinor: 9_000, prepMinutes: 20 },
    { itemId: "soup", name: "Ajiaco", priceMinor: 21_000, prepMinutes: 30 },
    { itemId: "juice", name: "Lulada", priceMinor: 5_000, prepMinutes: 4 },
  ],
};

t.test("R-ETA-2: before ordering anyone is told when it would arrive, and what the delivery costs", async (t) => {
  const harness = await startHarness({ definitions: domainActors(defaultDomainSettings) });
  t.teardown(() => harness.close());
  const token = harness.token("admin", "a");
  const headers = { "idempotency-key": "k" };
  t.equal((await harness.http("PUT", "/v1/restaurants/r", { token, body: profile, headers })).status, 200);
  const path = `/v1/restaurants/r/quote?lat=${HOME.lat}&lng=${HOME.lng}`;
  const first = await harness.http("GET", path);
  t.equal(first.status, 200);
  t.equal(first.headers.get("cache-control"), "private, max-age=5");
  // On a busy machine the very first may be answered before the restaurant was.
  await eventually("the restaurant's own word", async () => (await harness.http("GET", path)).body.basis === "learned");
  const quote = (await harness.http("GET", path)).body as ArrivalQuote;
  const way = builtInRouter(defaultDomainSettings.travel).way(PLACE, HOME);
  t.match(quote, {
    restaurantId: "r",
    open: true,
    delivers: true,
    currency: "COP",
    deliveryFeeMinor: 3_500,
    distanceMeters: Math.round(distanceMeters(PLACE, HOME)),
    travelMs: way.durationMs,
    // The middle of its dishes.
    preparationMs: 20 * MINUTE,
    router: "built-in",
  });
  const { at, earliest, expected, likely, latest } = quote;
  t.ok(at < earliest && earliest < expected && expected < likely && likely < latest, JSON.stringify(quote));
  // A minute until it is accepted, two until it is taken, two at the door.
  t.ok(Math.abs(expected - at - (25 * MINUTE + way.durationMs)) < MINUTE);

  t.match(await harness.http("GET", "/v1/restaurants/r/quote?lat=4.7&lng=-74.07"), { body: { delivers: false } });
  for (const query of ["", "?lat=4.6", "?lat=91&lng=0", "?lat=x&lng=0", "?lat=4.6&lng="]) {
    t.match(await harness.http("GET", `/v1/restaurants/r/quote${query}`), {
      status: 400,
      body: { error: { code: "invalid" } },
    });
  }
  t.match(await harness.http("GET", "/v1/restaurants/nobody/quote?lat=4.6&lng=-74"), {
    status: 404,
    body: { error: { code: "restaurant_unknown" } },
  });
  const closing = {
    token: harness.token("restaurant", "r"),
    body: { open: false },
    headers: { "idempotency-key": "k2" },
  };
  t.equal((await harness.http("POST", "/v1/restaurants/me/open", closing)).status, 200);
  await eventually("it says so when it is closed", async () => (await harness.http("GET", path)).body.open === false);
});

t.test("R-ETA-2: a restaurant that does not answer is quoted as usual", async (t) => {
  // These restaurants know nothing of outlooks.
  const harness = await startHarness({ definitions: scriptedActors });
  t.teardown(() => harness.close());
  const menu = { restaurantId: "r", menuVersion: 1, open: true, taxPerMille: 0, ...profile };
  await harness.tell("restaurant", "r", "list", menu);
  const { status, body } = await harness.http("GET", `/v1/restaurants/r/quote?lat=${HOME.lat}&lng=${HOME.lng}`);
  t.equal(status, 200);
  t.match(body, { basis: "usual", preparationMs: 15 * MINUTE, delivers: true });
});

const menuView: MenuView = {
  restaurantId: "r",
  menuVersion: 1,
  open: true,
  taxPerMille: 0,
  ...profile,
};

t.test("R-ETA-2: a quote waits for nobody longer than it has patience for, and asks once for many", async (t) => {
  let asked = 0;
  let answer: (() => void) | null = null;
  const outlook = {
    menuMs: MINUTE,
    prepMs: 7 * MINUTE,
    acceptMs: MINUTE,
    promise: { factor: 1, weight: 1 },
    zone: null,
  };
  const quotes = createQuoteService({
    client: {
      ask: <R>() => {
        asked++;
        return new Promise<{ ok: true; value: R }>((resolve) => {
          answer = () => resolve({ ok: true, value: outlook as R });
        });
      },
      askThen() {},
      cast: () => true,
      subscribe: () => ({ acknowledge() {}, close() {} }),
    },
    menus: {
      async menu(id) {
        if (id === "away") throw new Error("away");
        return id === "r" ? menuView : id === "draft" ? { ...menuView, status: "draft" } : null;
      },
    },
    router: builtInRouter(defaultDomainSettings.travel),
    clock,
    settings: { patienceMs: 20, freshMs: 60_000 },
  });
  const [one, two] = await Promise.all([quotes.quote("r", HOME), quotes.quote("r", HOME)]);
  t.match(one, { ok: true, quote: { basis: "usual" } }, "nobody answered");
  t.match(two, { ok: true, quote: { basis: "usual" } });
  t.equal(asked, 1);
  answer!();
  await new Promise<void>((resolve) => clock.after(1, resolve));
  t.match(await quotes.quote("r", HOME), { ok: true, quote: { basis: "learned", preparationMs: 7 * MINUTE } });
  t.equal(asked, 1, "fresh");
  t.strictSame(await quotes.quote("nobody", HOME), { ok: false, code: "restaurant_unknown" });
  t.strictSame(await quotes.quote("draft", HOME), { ok: false, code: "restaurant_unknown" }, "not listed yet");
  t.strictSame(await quotes.quote("away", HOME), { ok: false, code: "unavailable" });
});
