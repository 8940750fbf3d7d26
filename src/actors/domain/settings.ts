/**
 * Every number the actors decide by, as one value that arrives as an argument. This file owns the defaults and how a
 * day is made shorter; reading configuration is `config/`'s.
 *
 * Two kinds of durations. What people and kitchens take is divided by `timeScale`. What machines and phones take (the
 * payment call, the GPS cadence, how long a presence is believed) is never divided: a payment call does not become
 * faster because the kitchen does.
 */
import type { OrderStatus } from "../../protocol/mod.js";

export type OfferMode = "sequential" | "broadcast";

/** How a zone decides. `horizon`: a plan for all orders and drivers, made anew and anew. `simple`: the nearest driver, order by order. */
export type DispatchMode = "horizon" | "simple";

/** How long a way takes, for quotes and for matching. */
export interface TravelSettings {
  /** Metres per second along the street. Multiplied by `timeScale`. */
  readonly speedMetersPerSecond: number;
  /** Street distance divided by distance as the crow flies. */
  readonly streetFactor: number;
  /** From the kerb to the hand, at the restaurant and at the door alike. */
  readonly handoverMs: number;
}

export interface OrderSettings {
  /** From placement to `confirmed`: reserve and authorise, with their retries. Machine time, never divided. */
  readonly placementDeadlineMs: number;
  /** From `confirmed` until a person at the restaurant has to accept; then the order is cancelled. */
  readonly acceptDeadlineMs: number;
  /** How long a minute of the kitchen's lasts; what restaurants name is in minutes of theirs. */
  readonly minuteMs: number;
  /** When the restaurant names no preparation time. */
  readonly defaultPrepMs: number;
  /** From `accepted` to `preparing`, when the restaurant does not say it itself. */
  readonly preparingDelayMs: number;
  /** Past the promised ready time: first escalated, after as long again cancelled. */
  readonly kitchenLateMs: number;
  /** Ready without a driver: first escalated, after as long again cancelled. */
  readonly assignDeadlineMs: number;
  /** Ready, with a driver who does not come: the driver is replaced. */
  readonly pickupDeadlineMs: number;
  /** On the way: first escalated, after as long again undeliverable. */
  readonly deliveryDeadlineMs: number;
  readonly offerMs: number;
  /** An acceptance made in time may arrive this much later. Machine time, never divided. */
  readonly offerGraceMs: number;
  /** How a zone offers unless `offerModeByZone` says otherwise. */
  readonly offerMode: OfferMode;
  readonly offerModeByZone: Readonly<Record<string, OfferMode>>;
  /** Drivers offered at once in broadcast mode. */
  readonly broadcastSize: number;
  /** Rounds of offers before the order is escalated; it goes on trying after a pause, until its deadline. */
  readonly maxOfferRounds: number;
  /** The pause between rounds once the cap is reached. */
  readonly retryPauseMs: number;
  /** Drivers who said no or nothing are asked again when nobody else was found for so long. */
  readonly askAgainMs: number;
  /** In these statuses a customer may cancel. */
  readonly customerMayCancelIn: readonly OrderStatus[];
  /** What a driver earns for one order, whatever the way … */
  readonly driverPayMinor: number;
  /** … and for each kilometre from the restaurant to the customer. Tips come on top, in full. */
  readonly driverPayPerKmMinor: number;
  /** What the marketplace keeps of a restaurant's items, in thousandths. */
  readonly commissionPerMille: number;
  /** A payment method without an answer for this long gives way to the order's other one. Machine time, never divided. */
  readonly otherMethodAfterMs: number;
  /** Between tries to capture or void when the provider does not answer; doubles up to ten minutes. */
  readonly paymentRetryMs: number;
  /** How long the view answers polls after it was last written. */
  readonly viewMirrorMs: number;
  /** Entries of an order's history kept; the oldest repeated ones give way first. */
  readonly timelineKeep: number;
}

export interface DriverSettings {
  /** How often a driver tells the zones in reach where they are; a change of what they do is told at once. Never divided. */
  readonly presenceMs: number;
  /** Without a fix or a step of the trip for this long a driver on a trip counts as lost. */
  readonly stalledMs: number;
  /** Cadence asked of the app. Never divided. */
  readonly gpsAvailableMs: number;
  readonly gpsTripMs: number;
  /** Token bucket: one batch per this many milliseconds, sustained. Never divided; 500 at the least. */
  readonly gpsTokenMs: number;
  readonly gpsBurst: number;
  /** Faster than this between two fixes is flagged. Multiplied by `timeScale`. */
  readonly maxSpeedMetersPerSecond: number;
  /** A jump shorter than this is never a teleport (urban canyons). Multiplied by `timeScale`. */
  readonly teleportMeters: number;
  /** Less accurate than this is flagged. */
  readonly maxAccuracyMeters: number;
  /** A fix from further in the future than this is flagged (the phone's clock is wrong). */
  readonly maxAheadMs: number;
  /** A fix older than this is kept for its sequence number but is never live. */
  readonly liveMs: number;
  /** A fix older than this is flagged. */
  readonly maxAgeMs: number;
  readonly nearMeters: number;
  /** How long a position answers polls. */
  readonly positionMirrorMs: number;
  readonly maxOpenOffers: number;
  /** A card of several orders is shown after this long with those that have come. Machine time, never divided. */
  readonly cardGatherMs: number;
}

export interface RestaurantSettings {
  /** From one telling of an order to the tablet to the next, until a person answers. */
  readonly redeliverMs: number;
  /** While no device has acknowledged an order it is pushed again after this, then after twice as long and so on. Machine time, never divided. */
  readonly againMs: number;
  /** So long after the offer without a device: the push port. Machine time, never divided. */
  readonly pushAfterMs: number;
  /** So long after the offer without a device: another device, or the SMS port. Machine time, never divided. */
  readonly secondAfterMs: number;
  /** So long after the offer without a person: the call port. */
  readonly callAfterMs: number;
  /** So many orders in a row that nobody answered pause the restaurant until a person resumes it; 0: none do. */
  readonly pauseAfterMissed: number;
  /** Without a sign of any tablet for this long no new orders come. Machine time, never divided. */
  readonly tabletGraceMs: number;
  /** Tablets of one restaurant; the one heard longest ago gives way. */
  readonly maxTablets: number;
  /** How long a released order is remembered, so that a late reservation is refused. */
  readonly tombstoneMs: number;
  readonly maxTombstones: number;
  readonly defaultDeliveryRadiusMeters: number;
  readonly defaultKitchenCapacity: number;
  readonly menuMirrorMs: number;
  /** What the marketplace asks for its service, in thousandths of the items; part of every menu. */
  readonly serviceFeePerMille: number;
}

export interface ZoneSettings {
  readonly dispatch: DispatchMode;
  /** Between two plans of the horizon when nothing happens that asks for one. */
  readonly horizonMs: number;
  /** A decision that has not come by then is done without. Machine time, never divided. */
  readonly decisionPatienceMs: number;
  /** How long a driver is expected to think about an offer: it is made so much earlier. */
  readonly answerMs: number;
  /** From placement until the customer expects the food; later than that weighs more. */
  readonly promiseMs: number;
  /** From placement: nobody is planned who would deliver later. */
  readonly latestMs: number;
  /** The most orders of one trip; 1: none is shared. At most three. */
  readonly maxTripOrders: number;
  /** The most restaurants of one trip, all of them next to each other; 1: its orders come from one. At most three. */
  readonly maxTripRestaurants: number;
  /** What one order costs for a driver who has had clearly more than a fair part of the work, in time that a customer waits. */
  readonly fairnessMs: number;
  /** What one order costs for a driver with the worst of all ratings rather than the best, in the same measure. */
  readonly ratingMs: number;
  /** What one declined offer costs, in the same measure. */
  readonly declineMs: number;
  /** Matching happens at most this often. */
  readonly tickMs: number;
  /** A presence older than this is forgotten. Never divided. */
  readonly presenceTtlMs: number;
  /** After a proposal neither driver nor order is proposed again for this long, unless the order answers first. Never divided. */
  readonly proposalMs: number;
  /** An order is matched once its slack (preparation left − driver's way) is at most this. */
  readonly matchSlackMs: number;
  /** Drivers farther than this are not proposed. */
  readonly reachMeters: number;
  /** Drivers this close to a border are present beyond it too. */
  readonly borderMeters: number;
  /** More open orders than this split the zone into its child cells; fewer than `mergeBelow` join them again. */
  readonly splitAbove: number;
  readonly mergeBelow: number;
  readonly maxDrivers: number;
  readonly maxOrders: number;
  /** Between two pictures for the live map. Never divided. */
  readonly liveMs: number;
}

/** How arrivals are estimated, shown and told. */
export interface EtaSettings {
  /** The market's time minus UTC: kitchens and streets are learned by the hour of the city. */
  readonly utcOffsetMinutes: number;
  /** The same by its name where clocks are put forward and back; then it is what counts. Not where days are shorter. */
  readonly timeZone: string | null;
  /** A new range is shown within a stage when the expected arrival moved by this much at least … */
  readonly quietMs: number;
  /** … and by this share of what remains. */
  readonly quietShare: number;
  /** The customer is told by name when the expected arrival moved further than this from what was told last. */
  readonly tellMs: number;
  /** An order tells so often at the most. */
  readonly maxTellings: number;
  /** Added to both sides when errors are measured as ratios, so that the last metres do not weigh too much. */
  readonly cushionMs: number;
  /** Ranges kept per order. */
  readonly historyKeep: number;
  /** A driver on a trip tells the orders how far it is after moving this far … */
  readonly moveMeters: number;
  /** … when the way takes so much longer or shorter than the order was told. */
  readonly driftMs: number;
  /** The same for a driver who stands still. */
  readonly waitTellMs: number;
  /** A restaurant asks for its zone's figures again after this. */
  readonly pictureMs: number;
  /** A zone writes down what it has learned this often. Machine time, never divided. */
  readonly keepMs: number;
}

export interface ChatSettings {
  /** How long a customer and a driver may still write after the delivery. */
  readonly afterDeliveryMs: number;
  /** How long somebody is shown to write after saying so. */
  readonly typingMs: number;
  /** A masked number that could not be closed is tried again after this. */
  readonly contactRetryMs: number;
}

export interface DomainSettings {
  readonly travel: TravelSettings;
  readonly order: OrderSettings;
  readonly driver: DriverSettings;
  readonly restaurant: RestaurantSettings;
  readonly zone: ZoneSettings;
  readonly eta: EtaSettings;
  readonly chat: ChatSettings;
}

const seconds = (count: number): number => count * 1000;
const minutes = (count: number): number => count * 60_000;

export const defaultDomainSettings: DomainSettings = {
  travel: { speedMetersPerSecond: 6.5, streetFactor: 1.35, handoverMs: minutes(2) },
  order: {
    placementDeadlineMs: minutes(2),
    acceptDeadlineMs: minutes(10),
    minuteMs: minutes(1),
    defaultPrepMs: minutes(15),
    preparingDelayMs: minutes(1),
    kitchenLateMs: minutes(30),
    assignDeadlineMs: minutes(30),
    pickupDeadlineMs: minutes(20),
    deliveryDeadlineMs: minutes(90),
    offerMs: seconds(45),
    offerGraceMs: 500,
    offerMode: "sequential",
    offerModeByZone: {},
    broadcastSize: 3,
    maxOfferRounds: 8,
    retryPauseMs: seconds(60),
    askAgainMs: minutes(3),
    customerMayCancelIn: ["placed", "confirmed", "accepted"],
    driverPayMinor: 450,
    driverPayPerKmMinor: 60,
    commissionPerMille: 200,
    otherMethodAfterMs: seconds(20),
    paymentRetryMs: seconds(30),
    viewMirrorMs: seconds(10),
    timelineKeep: 64,
  },
  driver: {
    presenceMs: seconds(10),
    stalledMs: minutes(3),
    gpsAvailableMs: seconds(5),
    gpsTripMs: seconds(5),
    gpsTokenMs: seconds(3),
    gpsBurst: 5,
    maxSpeedMetersPerSecond: 50,
    teleportMeters: 500,
    maxAccuracyMeters: 250,
    maxAheadMs: minutes(1),
    liveMs: seconds(30),
    maxAgeMs: minutes(12 * 60),
    nearMeters: 300,
    positionMirrorMs: seconds(30),
    maxOpenOffers: 16,
    cardGatherMs: 400,
  },
  restaurant: {
    redeliverMs: seconds(20),
    againMs: seconds(3),
    pushAfterMs: seconds(10),
    secondAfterMs: seconds(30),
    callAfterMs: seconds(75),
    pauseAfterMissed: 1,
    tabletGraceMs: minutes(3),
    maxTablets: 8,
    tombstoneMs: minutes(24 * 60),
    maxTombstones: 1000,
    defaultDeliveryRadiusMeters: 20_000,
    defaultKitchenCapacity: 10_000,
    menuMirrorMs: seconds(60),
    serviceFeePerMille: 0,
  },
  zone: {
    dispatch: "horizon",
    horizonMs: seconds(15),
    decisionPatienceMs: seconds(2),
    answerMs: seconds(15),
    promiseMs: minutes(40),
    latestMs: minutes(90),
    maxTripOrders: 3,
    maxTripRestaurants: 2,
    fairnessMs: seconds(1),
    ratingMs: minutes(1),
    declineMs: minutes(1),
    tickMs: seconds(1),
    presenceTtlMs: seconds(30),
    proposalMs: seconds(3),
    matchSlackMs: minutes(5),
    reachMeters: 15_000,
    borderMeters: 2_500,
    splitAbove: 600,
    mergeBelow: 150,
    maxDrivers: 5_000,
    maxOrders: 5_000,
    liveMs: seconds(1),
  },
  eta: {
    utcOffsetMinutes: 0,
    timeZone: null,
    quietMs: seconds(90),
    quietShare: 0.15,
    tellMs: minutes(5),
    maxTellings: 8,
    cushionMs: minutes(2),
    historyKeep: 24,
    moveMeters: 100,
    driftMs: minutes(1),
    waitTellMs: minutes(2),
    pictureMs: minutes(1),
    keepMs: minutes(1),
  },
  chat: { afterDeliveryMs: minutes(15), typingMs: seconds(6), contactRetryMs: seconds(30) },
};

/**
 * The same day, `timeScale` times faster. A divided duration never falls under a floor that the machine needs to do
 * its part (two seconds for a driver's answer to an offer, a quarter of one for most other things).
 */
export function scaleDurations(settings: DomainSettings, timeScale: number): DomainSettings {
  if (!(timeScale > 0) || !Number.isFinite(timeScale)) {
    throw new RangeError(`timeScale must be a positive number, not ${timeScale}`);
  }
  if (timeScale === 1) return settings;
  const divided = (durationMs: number, floorMs = 250): number =>
    durationMs <= 0 ? durationMs : Math.max(Math.min(floorMs, durationMs), Math.round(durationMs / timeScale));
  const { travel, order, driver, restaurant, zone, eta, chat } = settings;
  return {
    travel: {
      ...travel,
      speedMetersPerSecond: travel.speedMetersPerSecond * timeScale,
      handoverMs: divided(travel.handoverMs),
    },
    order: {
      ...order,
      acceptDeadlineMs: divided(order.acceptDeadlineMs, 5_000),
      minuteMs: order.minuteMs / timeScale,
      defaultPrepMs: divided(order.defaultPrepMs),
      preparingDelayMs: divided(order.preparingDelayMs),
      kitchenLateMs: divided(order.kitchenLateMs, 5_000),
      assignDeadlineMs: divided(order.assignDeadlineMs, 5_000),
      pickupDeadlineMs: divided(order.pickupDeadlineMs, 5_000),
      deliveryDeadlineMs: divided(order.deliveryDeadlineMs, 5_000),
      offerMs: divided(order.offerMs, 2_000),
      retryPauseMs: divided(order.retryPauseMs),
      askAgainMs: divided(order.askAgainMs),
    },
    driver: {
      ...driver,
      // Three missed fixes at the least: the cadence does not shrink with the day.
      stalledMs: divided(driver.stalledMs, 4 * driver.gpsTripMs),
      maxSpeedMetersPerSecond: driver.maxSpeedMetersPerSecond * timeScale,
      teleportMeters: driver.teleportMeters * timeScale,
    },
    restaurant: {
      ...restaurant,
      redeliverMs: divided(restaurant.redeliverMs, 2_000),
      callAfterMs: divided(restaurant.callAfterMs, 2_000),
      tombstoneMs: divided(restaurant.tombstoneMs, 600_000),
    },
    zone: {
      ...zone,
      horizonMs: divided(zone.horizonMs, 500),
      answerMs: divided(zone.answerMs),
      promiseMs: divided(zone.promiseMs),
      latestMs: divided(zone.latestMs),
      fairnessMs: zone.fairnessMs / timeScale,
      ratingMs: zone.ratingMs / timeScale,
      declineMs: zone.declineMs / timeScale,
      tickMs: divided(zone.tickMs),
      matchSlackMs: divided(zone.matchSlackMs),
    },
    eta: {
      ...eta,
      timeZone: null,
      quietMs: divided(eta.quietMs),
      tellMs: divided(eta.tellMs),
      cushionMs: divided(eta.cushionMs),
      driftMs: divided(eta.driftMs),
      waitTellMs: divided(eta.waitTellMs, 1_000),
      pictureMs: divided(eta.pictureMs, 5_000),
    },
    chat: { ...chat, afterDeliveryMs: divided(chat.afterDeliveryMs, 2_000) },
  };
}
