/**
 * The second app of an account: a tablet beside the tablet, a phone beside the phone. It hears the same channels on a
 * line of its own and is recorded as a stream of its own; now and then somebody touches it.
 *
 * Owns nothing of what the first app does. Invariant: whatever it is refused, it goes on listening.
 */
import { type Client, courier, customer, type DriverEvent, kitchen, type TabletEvent } from "../../../sdk/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { pick, type Random, randomInteger } from "../../../src/lib/random.js";
import type { OrderView, PositionView } from "../../../src/protocol/mod.js";
import type { Recorder } from "../../checkers/mod.js";
import { chance } from "../../city/mod.js";

export interface SecondApp {
  readonly client: Client;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly random: Random;
  /** Somebody touched it: told once per touch. */
  readonly touched: (what: string) => void;
  /** It may be put away within so many milliseconds, and then reads nothing for a while. */
  readonly putAway: (withinMs: number) => void;
}

const TOUCH_WITHIN_MS = 20_000;
/** Somebody closes the shop, or takes a dish off the menu, now and then and for a while. */
const MANAGES_WITHIN_MS = 90_000;
const MOST_CLOSED_MS = 15_000;
const TABLET_PUT_AWAY_WITHIN_MS = 20_000;
const PHONE_PUT_AWAY_WITHIN_MS = 4_000;

export function secondTablet(restaurantId: string, itemIds: readonly string[], app: SecondApp): void {
  const { client, recorder, clock, random } = app;
  const stream = `restaurant:${restaurantId}#2`;
  client.subscribe(`restaurant:${restaurantId}`, {
    subscribed: (start) => recorder.subscribed(stream, start, clock.now()),
    event: ({ type, body, offset }) => {
      recorder.event(stream, offset, clock.now());
      const event = { type, body } as unknown as TabletEvent;
      if (event.type !== "order.new" || !chance(random, 0.3)) return;
      const { orderId } = event.body;
      touchLater(app, `preparing ${orderId}`, () => kitchen(client).preparing(orderId));
    },
  });
  client.connect();
  app.putAway(TABLET_PUT_AWAY_WITHIN_MS);
  const closes = chance(random, 0.5);
  const itemId = pick(random, itemIds);
  const set = (there: boolean): Promise<unknown> =>
    closes ? kitchen(client).open(there) : client.command("restaurant.item", { itemId, available: there });
  const goneMs = randomInteger(random, MOST_CLOSED_MS);
  clock.after(randomInteger(random, MANAGES_WITHIN_MS), () => {
    if (client.state.name === "closed") return;
    app.touched(closes ? "closes the shop" : `takes ${itemId} off the menu`);
    // One lane: the second is sent once the first is answered.
    set(false).catch(() => {});
    clock.after(goneMs, () => void set(true).catch(() => {}));
  });
}

export function secondDriverPhone(driverId: string, app: SecondApp): void {
  const { client, recorder, clock, random } = app;
  const stream = `driver:${driverId}#2`;
  client.subscribe(`driver:${driverId}`, {
    subscribed: (start) => recorder.subscribed(stream, start, clock.now()),
    event: ({ type, body, offset }) => {
      recorder.event(stream, offset, clock.now());
      const event = { type, body } as unknown as DriverEvent;
      if (event.type !== "offer.made" || !chance(random, 0.3)) return;
      const { offerId } = event.body;
      // The same offer is answered on both phones, perhaps differently.
      touchLater(app, `accept ${offerId}`, () => courier(client).accept(offerId));
    },
  });
  client.connect();
}

/** Follows an order on another phone of its customer, by socket. */
export function secondCustomerPhone(customerId: string, orderId: string, app: SecondApp): void {
  const { client, recorder, clock, random } = app;
  const stream = `${customerId}#2`;
  const subject = `${stream} order:${orderId}`;
  let waits = false;
  client.subscribe(`order:${orderId}`, {
    subscribed: ({ top, recovered }) => {
      recorder.orderSubscribed(orderId, stream, top, clock.now());
      if (!recovered) recorder.forgetSlots(subject, ["view", "position"]);
    },
    state: ({ slot, version, body }) => {
      const receivedAt = clock.now();
      recorder.slot(subject, slot, version, receivedAt);
      if (slot === "view") {
        const view = body as unknown as OrderView;
        recorder.view(stream, "socket", view, receivedAt);
        // Whoever knows that the kitchen is at work looks again when the food is there.
        if (view.status === "accepted" && !waits) app.putAway(PHONE_PUT_AWAY_WITHIN_MS);
        waits ||= view.status === "accepted";
      } else if (slot === "position" && body !== null) {
        recorder.position(orderId, stream, "socket", body as unknown as PositionView, receivedAt);
      }
    },
  });
  if (chance(random, 0.15)) {
    touchLater(app, `cancel ${orderId}`, () => customer(client).cancel(orderId, "from the other phone"));
  }
  client.connect();
}

function touchLater(app: SecondApp, what: string, touch: () => Promise<unknown>): void {
  const { clock, random, client, touched } = app;
  clock.after(randomInteger(random, TOUCH_WITHIN_MS), () => {
    if (client.state.name === "closed") return;
    touched(what);
    // Whatever the answer is, the first app shows what became of it.
    touch().catch(() => {});
  });
}
