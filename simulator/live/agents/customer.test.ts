/** A customer of the simulated city against a node that misbehaves: the run must be able to end all the same. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import { type Clock, systemClock } from "../../../src/lib/clock.js";
import { seededRandom } from "../../../src/lib/random.js";
import { Recorder } from "../../checkers/mod.js";
import { straightRoads } from "../../city/mod.js";
import { CityTime } from "../city-time.js";
import { Meter } from "../measure/meter.js";
import type { PlannedOrder } from "../plan.js";
import type { AgentContext } from "./context.js";
import { Counters } from "./counter.js";
import { runCustomer } from "./customer.js";

const real = systemClock();
/** Pauses are a hundredth of what they are for people. */
const quick: Clock = { ...real, after: (delayMs, run) => real.after(delayMs / 100, run) };
const noTotals = { currency: "EUR", itemsMinor: 1, feeMinor: 0, taxMinor: 0, tipMinor: 0, discountMinor: 0 };
const totals = { ...noTotals, totalMinor: 1 };
const orderId = "order-1";

const plan = (followBy: PlannedOrder["followBy"]): PlannedOrder => ({
  number: 1,
  customerId: "c1",
  order: { restaurantId: "r1", lines: [], destination: { lat: 1, lng: 1 }, currency: "EUR" },
  placeAtCityMs: 0,
  readyAtCityMs: null,
  followBy,
  impatient: false,
  cancelAfterCityMs: null,
});

function contextAt(url: string): AgentContext & { readonly end: AbortController } {
  const end = new AbortController();
  const clock = quick;
  return {
    url,
    clock,
    time: new CityTime({ timeScale: 60, startWallMs: clock.now(), startCityMs: 0 }, clock),
    recorder: new Recorder(),
    meter: new Meter(),
    roads: straightRoads(1),
    counters: new Counters(),
    token: () => "token",
    ended: end.signal,
    end,
  };
}

for (const followBy of ["poll", "events"] as const) {
  t.test(`R-SIM-1: who is refused the sight of their own order looks again (${followBy})`, async (t) => {
    let looks = 0;
    const node = createServer((request, response) => {
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      };
      const view = { orderId, version: 9, status: "delivered", timeline: [], totals };
      if (request.method === "POST") answer(200, { orderId, status: "placed", version: 1, totals });
      else if (++looks === 1) answer(404, { error: { code: "not_found", temporary: false } });
      else if (request.url?.endsWith("/events")) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(`id: 1\ndata: ${JSON.stringify({ view, fresh: true })}\n\n`);
      } else answer(200, { view, fresh: true });
    });
    await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
    t.teardown(() => node.close());
    const context = contextAt(`http://127.0.0.1:${(node.address() as AddressInfo).port}`);
    await runCustomer(context, plan(followBy), seededRandom(1));
    t.equal(looks, 2);
    t.match(context.meter.counts, { acknowledged: 1, delivered: 1, finished: 1 });
  });
}

t.test("R-SIM-1: a customer whom nobody answers gives up in the end, and is not waited for", async (t) => {
  const node = createServer((_request, response) => {
    response.writeHead(503, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: "unavailable", temporary: true, retryAfterMs: 1 } }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  t.teardown(() => node.close());
  // Every look at this clock is a minute later than the one before.
  let minutes = 0;
  const context = {
    ...contextAt(`http://127.0.0.1:${(node.address() as AddressInfo).port}`),
    clock: { ...quick, monotonic: () => ++minutes * 60_000 },
  };
  await runCustomer(context, plan("poll"), seededRandom(1));
  t.match(context.meter.counts, { intended: 1, acknowledged: 0, finished: 1 });
});

t.test("R-SIM-1: a refused order is over once", async (t) => {
  const node = createServer((_request, response) => {
    response.writeHead(409, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { code: "stock_too_low", temporary: false } }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  t.teardown(() => node.close());
  const context = contextAt(`http://127.0.0.1:${(node.address() as AddressInfo).port}`);
  await runCustomer(context, plan("poll"), seededRandom(1));
  t.match(context.meter.counts, { intended: 1, acknowledged: 0, refused: 1, finished: 1 });
});
