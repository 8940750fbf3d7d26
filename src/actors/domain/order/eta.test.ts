import fc from "fast-check";
import t from "tap";
import { isTerminal, ORDER_STATUSES, type OrderStatus, type TimelineEntry } from "../../../protocol/mod.js";
import { at, CENTRE } from "../fixtures/city.js";
import { defaultDomainSettings as settings } from "../mod.js";
import { estimate, nextEta, noteView, shownEta } from "./eta.js";
import { outcomeOf, preparationSample } from "./eta-learned.js";
import { initialOrder, type Kitchen, type PlacedOrder, statusOf } from "./state.js";
import { orderView } from "./view.js";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
/** 3 km × 1.35 at 6.5 m/s. */
const WAY_MS = ((3_000 * 1.35) / 6.5) * 1000;
const driver = { driverId: "d", offerId: "f", name: "D", vehicle: "moped", tripId: "t", seat: null, before: 0 };

const entry = (kind: TimelineEntry["kind"], atMs: number, by: TimelineEntry["by"] = "system"): TimelineEntry => ({
  kind,
  at: atMs,
  by,
});

/** An order three kilometres away, whose restaurant accepted now and promised ten minutes. */
function order(changes: Partial<PlacedOrder> = {}): PlacedOrder {
  return {
    ...initialOrder(),
    content: {
      customerId: "c",
      restaurant: { id: "r", name: "R", ...CENTRE },
      destination: at(3_000),
      lines: [],
      totals: {
        currency: "COP",
        itemsMinor: 0,
        feeMinor: 0,
        taxMinor: 0,
        tipMinor: 0,
        discountMinor: 0,
        totalMinor: 0,
      },
      note: null,
      paymentMethod: "default",
      zone: "z",
      placedAt: NOW - 2 * MINUTE,
    },
    kitchen: { status: "accepted", readyAt: NOW + 10 * MINUTE },
    delivery: { status: "searching", notBefore: NOW },
    timeline: [
      entry("placed", NOW - 2 * MINUTE),
      entry("confirmed", NOW - 2 * MINUTE),
      entry("accepted", NOW, "restaurant"),
    ],
    ...changes,
  };
}

const carrying = (changes: Partial<PlacedOrder> = {}): PlacedOrder =>
  order({
    kitchen: { status: "handed_over", readyAt: NOW - MINUTE },
    delivery: { status: "carrying", driver, grant: 1, since: NOW },
    timeline: [
      entry("placed", NOW - 20 * MINUTE),
      entry("accepted", NOW - 18 * MINUTE, "restaurant"),
      entry("ready", NOW - MINUTE, "restaurant"),
      entry("picked_up", NOW, "driver"),
    ],
    ...changes,
  });

const told = (meters: number, at: number, stops = 0) => ({ driverId: "d", carrying: true, meters, stops, at });

/** The order after what happened at `now` was calculated in. */
function after(before: PlacedOrder, now: number): PlacedOrder {
  const change = nextEta(before, now, settings);
  return change === null ? before : { ...before, eta: change.eta };
}

t.test("R-TRK-4, R-ETA-1: preparation, wait, way and handover make a range", async (t) => {
  const eta = estimate(order(), NOW, settings);
  // The kitchen's word, two minutes until somebody takes it, the way, two at the door.
  t.ok(eta !== null && Math.abs(eta.leftMs - (10 * MINUTE + 4 * MINUTE + WAY_MS)) < 2_000, `${eta?.leftMs}`);
  t.ok(eta !== null && eta.from < eta.expected && eta.expected < eta.to);
  const { eta: shown } = orderView("o", after(order(), NOW));
  t.strictSame(shown, { from: eta?.from, expected: eta?.expected, to: eta?.to });
  t.equal(estimate(order({ kitchen: { status: "reserving" } }), NOW, settings), null, "the restaurant has not spoken");
});

t.test("R-TRK-4: the range is in the future, narrows on the way, and ends with the order", async (t) => {
  const kitchens: Readonly<Partial<Record<OrderStatus, Kitchen>>> = {
    placed: { status: "reserved" },
    confirmed: { status: "offered", acceptBy: NOW },
    accepted: { status: "accepted", readyAt: NOW },
    preparing: { status: "preparing", readyAt: NOW },
    ready: { status: "ready", readyAt: NOW },
    picked_up: { status: "handed_over", readyAt: NOW },
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...ORDER_STATUSES),
      fc.integer({ min: -3_600_000, max: 3_600_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      fc.boolean(),
      (status, ready, north, found) => {
        const kitchen = kitchens[status];
        const content = { ...order().content, destination: at(north) };
        if (kitchen === undefined) {
          const closed = { status: "cancelled", at: NOW, by: "system", reason: "x", refusal: null } as const;
          return estimate(order({ content, closed }), NOW, settings) === null && isTerminal(status);
        }
        const readyAt = NOW + ready;
        const one = order({
          content,
          kitchen: "readyAt" in kitchen ? { ...kitchen, readyAt } : kitchen,
          delivery:
            status === "picked_up"
              ? { status: "carrying", driver, grant: 1, since: NOW }
              : found && "readyAt" in kitchen
                ? { status: "assigned", driver }
                : { status: "none" },
        });
        const eta = estimate(one, NOW, settings);
        if (statusOf(one) !== status || eta === null || eta.from < NOW || eta.to <= eta.from) return false;
        const onTheWay = estimate(carrying({ content }), NOW, settings);
        return onTheWay !== null && onTheWay.expected <= eta.expected + 2 * settings.travel.handoverMs;
      },
    ),
    { numRuns: 500 },
  );
  t.pass("500 orders");
});

t.test("R-ETA-1: within a stage a new range is shown only when it matters", async (t) => {
  let one = after(carrying(), NOW);
  const first = shownEta(one);
  t.equal(first?.cause, "pickup");
  for (const [meters, afterMs, changes] of [
    // As far as it should be by then, a little less, a little more, and stuck for five minutes.
    [2_400, 2 * MINUTE, false],
    [2_000, 3 * MINUTE, false],
    [2_100, 4 * MINUTE, false],
    [2_900, 6 * MINUTE, true],
  ] as const) {
    const before = one.eta?.notes.length;
    const next: PlacedOrder = { ...one, eta: { ...one.eta!, progress: told(meters, NOW + afterMs) } };
    const change = nextEta(next, NOW + afterMs, settings);
    t.equal(change?.shown, changes, `${meters} m after ${afterMs / MINUTE} min`);
    one = { ...next, eta: change!.eta };
    t.equal((one.eta?.notes.length ?? 0) - (before ?? 0), changes ? 1 : 0);
  }
  t.match(shownEta(one), { stage: "picked_up", cause: "road" });
});

t.test("R-ETA-4: the customer is told of a change of more than five minutes, once, and not of a wobble", async (t) => {
  const speed = 3_000 / WAY_MS;
  let one = after(carrying(), NOW);
  const tellings: string[] = [];
  /** The driver says that the rest takes so many minutes. */
  const says = (minutesLeft: number, atMinute: number): void => {
    const at = NOW + atMinute * MINUTE;
    const next: PlacedOrder = { ...one, eta: { ...one.eta!, progress: told(minutesLeft * MINUTE * speed, at) } };
    const change = nextEta(next, at, settings);
    if (change?.tell !== null && change?.tell !== undefined) tellings.push(change.tell);
    one = { ...next, eta: change!.eta };
  };
  // Ten minutes were expected.
  says(12, 1);
  t.strictSame(tellings, [], "three minutes are no news");
  says(16, 2);
  t.match(tellings, [/^[78] min later: the road$/]);
  says(15.5, 2.5);
  says(15, 3);
  says(14.5, 3.5);
  t.equal(tellings.length, 1, "as told");
  // Six minutes better, then six worse, again and again: neither is twice the threshold.
  for (let n = 0; n < 6; n++) says(n % 2 === 0 ? 8 : 14, 4 + n / 10);
  t.equal(tellings.length, 1, "no flapping");
  says(1, 5);
  t.equal(tellings.length, 2);
  t.match(tellings[1], /^1\d min earlier: the road$/);
});

t.test(
  "R-ETA-4: the history of an order's arrival is bounded, keeps each stage's first, and is told at the end",
  async (t) => {
    let one = after(order(), NOW);
    one = after({ ...one, kitchen: { status: "ready", readyAt: NOW + 9 * MINUTE } }, NOW + 9 * MINUTE);
    one = after(
      { ...one, delivery: { status: "carrying", driver, grant: 1, since: NOW + 12 * MINUTE } },
      NOW + 12 * MINUTE,
    );
    for (let n = 0; n < 60; n++) {
      const at = NOW + (13 + n) * MINUTE;
      one = after({ ...one, eta: { ...one.eta!, progress: told(n % 2 === 0 ? 9_000 : 3_000, at) } }, at);
    }
    const notes = (one.eta?.notes ?? []).map((note) => noteView(one, note));
    t.equal(notes.length, settings.eta.historyKeep);
    const first = (stage: string): number | undefined => notes.find((note) => note.stage === stage)?.at;
    t.equal(first("kitchen"), NOW);
    t.equal(first("ready"), NOW + 9 * MINUTE);
    t.equal(first("picked_up"), NOW + 12 * MINUTE);
    t.equal(notes.at(-1)?.at, NOW + 72 * MINUTE, "and the newest");
    t.ok((one.eta?.tellings ?? 99) <= settings.eta.maxTellings);
    const open = orderView("o", one);
    t.equal(open.etaHistory, undefined);
    const over: PlacedOrder = { ...one, delivery: { status: "delivered", driver, at: NOW + 80 * MINUTE } };
    const view = orderView("o", over);
    t.equal(view.eta, undefined);
    t.equal(view.etaHistory?.length, settings.eta.historyKeep);
    t.match(view.etaHistory?.[0], { at: NOW, cause: "kitchen" });
  },
);

t.test("R-ETA-3: an order teaches its kitchen what it took, and its zone what the rest took", async (t) => {
  const pickedUpAt = NOW + 15 * MINUTE;
  let one = after(order(), NOW);
  one = after(
    {
      ...one,
      kitchen: { status: "ready", readyAt: NOW + 12 * MINUTE },
      timeline: [...one.timeline, entry("ready", NOW + 12 * MINUTE, "restaurant")],
    },
    NOW + 12 * MINUTE,
  );
  t.strictSame(preparationSample(one, pickedUpAt, 30_000, settings), {
    menuMs: settings.order.defaultPrepMs,
    promisedMs: 10 * MINUTE,
    acceptedAt: NOW,
    readyAt: NOW + 12 * MINUTE,
    pickedUpAt,
    saidReady: true,
    driverWaitedMs: 30_000,
  });
  const arrivedAt = pickedUpAt + 8 * MINUTE;
  const deliveredAt = arrivedAt + 3 * MINUTE;
  one = after(
    {
      ...one,
      delivery: { status: "carrying", driver, grant: 1, since: pickedUpAt },
      eta: { ...one.eta!, waitedMs: 30_000 },
      timeline: [
        ...one.timeline,
        entry("picked_up", pickedUpAt, "driver"),
        entry("driver_arrived", arrivedAt, "driver"),
      ],
    },
    pickedUpAt,
  );
  const outcome = outcomeOf(one, deliveredAt, settings);
  t.match(outcome, { lagMs: 3 * MINUTE, pickupMs: 30_000, dropoffMs: 3 * MINUTE });
  t.match(outcome.way, { vehicle: "moped", tookMs: 8 * MINUTE });
  t.strictSame(
    outcome.stages.map(({ stage, realMs }) => [stage, realMs / MINUTE]),
    [
      ["kitchen", 26],
      ["ready", 14],
      ["picked_up", 11],
    ],
  );
  const detour: PlacedOrder = { ...one, eta: { ...one.eta!, detour: true } };
  t.equal(outcomeOf(detour, deliveredAt, settings).way, null, "another customer's door is no street");
});
