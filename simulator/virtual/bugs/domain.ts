/** The bugs that are planted in orders, drivers, restaurants and money. Data only: nothing here is ever part of a product. */
import { type Bug, patch } from "./bug.js";

const ORDER = "src/actors/domain/order";
const DRIVER = "src/actors/domain/driver";
const RESTAURANT = "src/actors/domain/restaurant";

/** The faults are over, and everybody has been at the table since. */
const SOON_MS = 20_000;

const LEGALITY = patch(`${ORDER}/save.js`, "assertLegal(before, entries, status);", "");

export const DOMAIN_BUGS: readonly Bug[] = [
  {
    name: "the idempotency key is not used for the order's id",
    patches: [
      patch(
        "src/services/orders/ids.js",
        ".update(",
        '.update((globalThis.plantedCount = (globalThis.plantedCount ?? 0) + 1) + "\\n" + ',
      ),
    ],
    by: ["rule-02"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "positions from before the pickup are shown",
    patches: [patch(`${DRIVER}/gps.js`, "position.at < granted.since", "false")],
    by: ["rule-12"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "an offer can be accepted after it has expired",
    patches: [
      patch(`${DRIVER}/shift.js`, `if (expiryOf(card) <= ctx.now) return ctx.reject("offer_expired");`, ""),
      patch(`${DRIVER}/shift.js`, "if (expiryOf(card) <= ctx.now) {", "if (expiryOf(card) + 60_000 <= ctx.now) {"),
      patch(`${ORDER}/dispatch.js`, "if (input.acceptedAt >= offer.expiresAt) {", "if (false) {"),
      patch(
        `${ORDER}/offers.js`,
        "(offer) => offer.expiresAt <= ctx.now",
        "(offer) => offer.expiresAt + 60_000 <= ctx.now",
      ),
    ],
    by: ["rule-13"],
    within: 20,
    shownFrom: 12,
    shownWithin: 6,
  },
  {
    name: "a driver on a trip is offered, and may take, another",
    patches: [
      patch(
        `${DRIVER}/gps.js`,
        `if (state.work.status === "on_trip") return "on_trip";`,
        `if (state.work.status === "on_trip") return "available";`,
      ),
      patch(
        `${DRIVER}/shift.js`,
        `if (state.work.status !== "free" || (!isPart && state.offers.length >= most)) return "driver_busy";`,
        "",
      ),
      patch(
        `${DRIVER}/shift.js`,
        `if (work.status !== "free") return ctx.reject("driver_busy"); // The timer`,
        "// The timer",
      ),
      patch(`${ORDER}/dispatch.js`, "if (places.some((place) => ctx.taken(TRIP_CLAIM, place))) {", "if (false) {"),
      patch(`${ORDER}/dispatch.js`, "ctx.claim(TRIP_CLAIM, place);", "void place;"),
    ],
    by: ["rule-06"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    convergeMs: SOON_MS,
  },
  {
    name: "a driver says that an order is given back, and keeps it",
    patches: [
      patch(
        `${DRIVER}/trip.js`,
        `if (leg !== undefined) dropLeg(ctx, settings, orderId, reason); ctx.tell(Order, orderId, "revoked"`,
        `ctx.tell(Order, orderId, "revoked"`,
      ),
    ],
    by: ["rule-07"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a status moves backwards",
    patches: [
      LEGALITY,
      patch(
        `${ORDER}/kitchen.js`,
        `ctx.cancelTimer("kitchen"); const next = { ...order, kitchen: { status: "ready"`,
        `ctx.timer("kitchen", { at: ctx.now + 50, run: "kitchenStarts" }); const next = { ...order, kitchen: { status: "ready"`,
      ),
      patch(
        `${ORDER}/kitchen.js`,
        `order.closed !== null || order.kitchen.status !== "accepted") return null; const { readyAt }`,
        "order.closed !== null) return null; const { readyAt }",
      ),
    ],
    by: ["rule-03"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    convergeMs: SOON_MS,
  },
  {
    name: "an order is left without a deadline",
    patches: [
      patch(
        `${ORDER}/save.js`,
        "if (status !== before)",
        "if (status !== before && deadlineOf(order, status, ctx.now, settings) === null)",
      ),
    ],
    by: ["rule-14", "liveness"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "the tablet is told of an order only once",
    patches: [
      patch(`${RESTAURANT}/inbox.js`, `ctx.timer("redeliver", { at: soonest, run: "redeliver" });`, "void soonest;"),
    ],
    by: ["rule-10"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a cancelled order gives its stock back twice",
    patches: [
      patch(
        `${RESTAURANT}/save.js`,
        "left: giveBack(state.left, took),",
        "left: giveBack(giveBack(state.left, took), took),",
      ),
    ],
    by: ["rule-17"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a cancelled order keeps its stock",
    patches: [patch(`${RESTAURANT}/save.js`, "left: giveBack(state.left, took),", "left: state.left,")],
    by: ["rule-17"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a cancelled order's money stays on hold",
    patches: [patch(`${ORDER}/payment.js`, "return voidNow(ctx, payment.n);", "return payment;")],
    by: ["rule-09"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a cancelled order is captured",
    patches: [patch(`${ORDER}/payment.js`, "return voidNow(ctx, payment.n);", "return capture(ctx, ctx.state);")],
    by: ["rule-08"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a payment that is asked for again is authorised again",
    patches: [
      patch(
        "src/services/payments/effect.js",
        "return async ({ input }) => {",
        "return async ({ input, attempt }) => {",
      ),
      patch(
        "src/services/payments/effect.js",
        "const key = paymentKey(orderId, request.step, n);",
        `const key = paymentKey(orderId, request.step, n) + (request.step === "authorise" && attempt > 1 ? ":" + attempt : "");`,
      ),
    ],
    by: ["rule-02", "rule-08", "rule-09"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a refund that is asked for again is given again",
    patches: [
      patch(
        "src/services/payments/effect.js",
        "return async ({ input }) => {",
        "return async ({ input, attempt }) => {",
      ),
      patch(
        "src/services/payments/effect.js",
        `paymentKey(orderId, "refund", request.refund ?? n);`,
        `paymentKey(orderId, "refund", request.refund ?? n) + (attempt > 1 ? ":" + attempt : "");`,
      ),
    ],
    by: ["rule-09-books-agree"],
    within: 30,
    shownFrom: 7,
    shownWithin: 6,
    focus: ["payment_answer_lost"],
  },
  {
    name: "of several facts of money only the first is booked, and all leave the inbox",
    patches: [
      patch(
        "src/services/ledger/bookkeeper.js",
        "return write(bookings, done, aside);",
        "return write(bookings.slice(0, 1), done, aside);",
      ),
    ],
    by: ["rule-09-books-agree"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a capture is booked without its fee",
    patches: [
      patch(
        `${ORDER}/payment-facts.js`,
        "customerId: content.customerId, amountMinor: capturedMinor(order),",
        "customerId: content.customerId, amountMinor: capturedMinor(order) - content.totals.feeMinor,",
      ),
    ],
    by: ["rule-09-books-agree"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a line of a conversation is written down twice",
    patches: [
      patch(
        "src/actors/domain/chat-room/save.js",
        'ctx.push("talk", line.type, asJson(line.body));',
        'ctx.push("talk", line.type, asJson(line.body)); if (line.type === "chat.message") ctx.push("talk", line.type, asJson(line.body)), top++;',
      ),
    ],
    by: ["rule-15-lines-once-for-all"],
    within: 10,
    shownFrom: 4,
    shownWithin: 3,
  },
];
