/**
 * The bugs that are planted, each in compiled code that is otherwise the product's. Data only: nothing here is ever part
 * of a product.
 *
 * `by`: the rules that must find it, by the beginnings of their names. What else it breaks does not count: a bug that only
 * shows as a crash is not found. `within`: in so many seeds, from the first one.
 */
import type { FaultKind } from "../ports.js";
import { ACKNOWLEDGE_BEFORE_COMMIT, FORGET_ANSWERS, type Patch } from "./patch.js";

export interface Bug {
  readonly name: string;
  readonly patches: readonly Patch[];
  readonly by: readonly string[];
  readonly within: number;
  /** A seed that showed it when it was last looked for (`npm run simulate -- --planted` says which do). */
  readonly shownFrom: number;
  /** In so many seeds from that one on it must be found whenever the tests run. */
  readonly shownWithin: number;
  /** Faults that every seed has in which it is looked for: what the bug needs and few seeds have. Default none. */
  readonly focus?: readonly FaultKind[];
}

const RUNTIME = "src/actors/runtime";
const ORDER = "src/actors/domain/order";
const DRIVER = "src/actors/domain/driver";
const RESTAURANT = "src/actors/domain/restaurant";

const EXECUTOR = `${RUNTIME}/activation/executor.js`;
const HOST = `${RUNTIME}/host/host.js`;
const MEMORY_STORE = "src/store/memory/actor-store.js";
const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });

const PENDING = ACKNOWLEDGE_BEFORE_COMMIT.find;
const KNOWN = FORGET_ANSWERS.find;
/** Nor does the database see that it was done. */
const STORE_FORGETS = patch(MEMORY_STORE, "if (row?.commands.has(id))", "if (false)");

const LEGALITY = patch(`${ORDER}/save.js`, "assertLegal(before, entries, status);", "");

export const BUGS: readonly Bug[] = [
  {
    name: "no fencing: the database takes the rows of a stale epoch",
    patches: [patch(MEMORY_STORE, "tables.shards.get(shard)?.epoch !== epoch", "false")],
    by: ["rule-04"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "an answer leaves before the commit",
    patches: [ACKNOWLEDGE_BEFORE_COMMIT],
    by: ["rule-01", "rule-02", "rule-04", "rule-15"],
    within: 20,
    shownFrom: 17,
    shownWithin: 6,
  },
  {
    name: "a view is shown before the commit",
    patches: [
      patch(
        EXECUTOR,
        PENDING,
        `if (dirty && recorded?.said) { this.#gate.open(actor, { source: "timer" }, { ...recorded, tells: null, timers: null }, null, at); } ${PENDING}`,
      ),
    ],
    by: ["rule-01", "rule-03", "rule-04", "rule-15"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "no de-duplication of commands",
    patches: [
      patch(
        EXECUTOR,
        KNOWN,
        `const known = delivery.source === "ask" ? undefined : actor.remembered?.get(delivery.id);`,
      ),
      STORE_FORGETS,
    ],
    by: ["rule-02"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a message between actors acts twice",
    patches: [
      patch(
        EXECUTOR,
        KNOWN,
        `const known = delivery.source === "tell" ? undefined : actor.remembered?.get(delivery.id);`,
      ),
      STORE_FORGETS,
    ],
    by: ["rule-02", "messages-once"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "messages of a shard are not sent after a handoff",
    patches: [patch(HOST, "await this.#outbox.scan(gained);", "")],
    by: ["messages-once", "rule-14", "rule-10", "liveness"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "timers of a shard are lost on handoff",
    patches: [patch(HOST, "this.#timers.gain(gained);", "")],
    by: ["rule-14", "liveness"],
    within: 20,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "a shard is taken without raising its epoch",
    patches: [
      patch(
        "src/store/memory/ownership.js",
        "shards.set(shard, { epoch: expectedEpoch + 1, node: by.node });",
        "shards.set(shard, { epoch: Math.max(1, expectedEpoch), node: by.node });",
      ),
      patch(
        "src/store/memory/ownership.js",
        "taken.set(shard, expectedEpoch + 1);",
        "taken.set(shard, Math.max(1, expectedEpoch));",
      ),
    ],
    by: ["rule-04"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a lost answer of the database is taken for a yes",
    patches: [
      patch(
        `${RUNTIME}/committer/committer.js`,
        "const committed = error instanceof OutcomeUnknown ? await this.#settleUnknown(batch) : [];",
        "const committed = batch.actors.map(() => true);",
      ),
    ],
    by: ["rule-01", "rule-02", "rule-04", "rule-15", "messages-once"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a resumed channel skips one event",
    patches: [
      patch(`${RUNTIME}/channels/channels.js`, "event.offset > resume.offset", "event.offset > resume.offset + 1"),
    ],
    by: ["rule-15", "liveness"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "the gateway names the wrong offset to start from",
    patches: [
      patch(
        "src/gateway/ws/subscribe.js",
        "[OP.subbed, channel, start.epoch, start.top, start.recovered]",
        "[OP.subbed, channel, start.epoch, start.top + (start.recovered ? 0 : 1), start.recovered]",
      ),
    ],
    by: ["rule-15"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "an app keeps its old place when it gets a snapshot",
    patches: [patch("sdk/channels.js", "if (!isVersioned(name)) channel.offset = top;", "")],
    by: ["rule-15"],
    within: 20,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "events are deleted before the stream has them",
    patches: [
      patch(
        "src/cluster/relay.js",
        "lane.events.push(event); buffered++;",
        "lane.events.push(event); buffered++; lane.undeleted++; stored.push(event);",
      ),
      patch(
        "src/cluster/relay.js",
        "lane.undeleted++; stored.push(event); if (lane.events.length > 0)",
        "if (lane.events.length > 0)",
      ),
    ],
    by: ["rule-11"],
    within: 20,
    shownFrom: 3,
    shownWithin: 6,
  },
  {
    name: "events of an actor overtake each other",
    patches: [
      patch(
        "src/cluster/relay.js",
        "await stream.publish(event);",
        "await Promise.all([...lane.events].reverse().map((one) => stream.publish(one)));",
      ),
    ],
    by: ["rule-11"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
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
    name: "the location gate is left open",
    patches: [
      patch(
        "src/gateway/fanout/location-gate.js",
        `this.#setGrant(gate, tracking.view.status === "picked_up" ? tracking.grant : null);`,
        `if (tracking.view.status === "picked_up") this.#setGrant(gate, tracking.grant);`,
      ),
      patch("src/gateway/fanout/location-gate.js", `if (view.status !== "picked_up") this.#setGrant(gate, null);`, ""),
    ],
    by: ["rule-12"],
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
    shownFrom: 2,
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
        "store.book(bookings, done, aside);",
        "store.book(bookings.slice(0, 1), done, aside);",
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
        "customerId: content.customerId, amountMinor: content.totals.totalMinor,",
        "customerId: content.customerId, amountMinor: content.totals.totalMinor - content.totals.feeMinor,",
      ),
    ],
    by: ["rule-09-books-agree"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
  },
  {
    name: "an old position waits for a slow reader and is shown after the end",
    patches: [
      patch(
        "src/gateway/ws/subscribe.js",
        "clearPosition: () => outbox.clear(positionSlot),",
        "clearPosition: () => { },",
      ),
    ],
    by: ["rule-12"],
    within: 60,
    shownFrom: 5,
    shownWithin: 6,
    focus: ["client_stuck_reader"],
  },
  {
    name: "a slow reader is never cut off",
    patches: [
      patch("src/gateway/ws/outbox.js", "this.#ws.getBufferedAmount() > this.#limits.reliableBacklogBytes", "false"),
    ],
    by: ["rule-16"],
    within: 20,
    shownFrom: 1,
    shownWithin: 6,
    focus: ["client_stuck_reader"],
  },
  {
    name: "a mailbox takes whatever comes",
    patches: [
      patch(EXECUTOR, "waiting >= this.#settings.mailboxLimit || this.queued >= this.#settings.maxQueued", "false"),
    ],
    by: ["rule-16"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    focus: ["mailbox_flood"],
  },
  {
    name: "an ask that finds no room is forgotten",
    patches: [patch(`${RUNTIME}/client-impl/asks.js`, "resolve(overload()); return;", "return;")],
    by: ["every-ask-is-answered"],
    within: 10,
    shownFrom: 1,
    shownWithin: 6,
    focus: ["mailbox_flood"],
  },
  {
    name: "a node speaks after its lease",
    patches: [
      patch(`${RUNTIME}/gate/gate.js`, "const mayEmit = this.#ownership.mayEmit();", "const mayEmit = true;"),
      patch(HOST, "if (this.#options.ownership.mayEmit()) this.#send(to, message);", "this.#send(to, message);"),
    ],
    by: ["rule-04", "rule-12", "rule-15"],
    within: 40,
    shownFrom: 2,
    shownWithin: 6,
  },
  {
    name: "a node that slept speaks for shards that have gone",
    patches: [patch(`${RUNTIME}/gate/gate.js`, "this.#ownership.epochOf(actor.shard) !== actor.epoch", "false")],
    by: ["rule-04-no-word-after-owning"],
    within: 40,
    shownFrom: 6,
    shownWithin: 6,
    focus: ["node_pause_beyond_lease", "mailbox_flood"],
  },
  {
    name: "a node's deadline is set an hour too late",
    patches: [
      patch("src/cluster/coordinator/lease.js", "keeper.extend(deadline, 0);", "keeper.extend(deadline, 3_600_000);"),
    ],
    by: ["rule-04", "rule-12", "rule-15"],
    within: 40,
    shownFrom: 2,
    shownWithin: 6,
  },
];
