/**
 * What the actors decide by. The shape is that of `DomainSettings` of the actors; a test holds shape and defaults
 * together. All durations are those of a real day: `node.timeScale` divides the ones that a person or a kitchen takes.
 */
import { count, DAY_MS, duration, meters, section } from "./building.js";
import { integer, listOf, mapOf, number, oneOf, optionalText, TIME_ZONE } from "./setting.js";

const HOUR_MS = 3_600_000;

export const DISPATCH_MODES = ["horizon", "simple"] as const;
export const OFFER_MODES = ["sequential", "broadcast"] as const;
const CANCELLABLE = ["placed", "confirmed", "accepted", "preparing", "ready", "picked_up"] as const;

const travel = section("How long a way takes, for quotes and for matching.", {
  speedMetersPerSecond: number(0.5, 50, {
    description: "Speed along the street, in metres per second.",
    advice: "A bicycle in a city makes 4, a motorbike 7.",
  }),
  streetFactor: number(1, 5, {
    description: "Street distance divided by distance as the crow flies.",
    advice: "A grid of streets has about 1.3.",
  }),
  handoverMs: duration("From the kerb to the hand, at the restaurant and at the door alike."),
});

const order = section("The order's deadlines and offers.", {
  placementDeadlineMs: duration(
    "From placement to confirmed: reserve and authorise. Not divided by timeScale.",
    DAY_MS,
    1000,
  ),
  acceptDeadlineMs: duration("From confirmed until a person at the restaurant has to accept.", DAY_MS, 1000),
  minuteMs: duration("How long a minute lasts when a restaurant names its preparation time.", HOUR_MS, 1),
  defaultPrepMs: duration("Preparation time when the restaurant names none."),
  preparingDelayMs: duration("From accepted to preparing, when the restaurant does not say it itself."),
  kitchenLateMs: duration(
    "Past the promised ready time: first escalated, after as long again cancelled.",
    DAY_MS,
    1000,
  ),
  assignDeadlineMs: duration("Ready without a driver: first escalated, after as long again cancelled.", DAY_MS, 1000),
  pickupDeadlineMs: duration("Ready, with a driver who does not come: the driver is replaced.", DAY_MS, 1000),
  deliveryDeadlineMs: duration("On the way: first escalated, after as long again undeliverable.", DAY_MS, 1000),
  offerMs: duration("How long a driver has to answer an offer.", HOUR_MS, 1000),
  offerGraceMs: duration("An acceptance made in time may arrive this much later. Not divided by timeScale.", 60_000),
  offerMode: oneOf(OFFER_MODES, {
    description: "How a zone offers unless offerModeByZone says otherwise.",
    advice: "sequential asks the best driver first, broadcast several at once.",
  }),
  offerModeByZone: mapOf(OFFER_MODES, 10_000, {
    description: "Zones (H3 cells) that offer in another way.",
    advice: "For example 872830828ffffff=broadcast.",
  }),
  broadcastSize: count("Drivers offered at once in broadcast mode.", 50),
  maxOfferRounds: count("Rounds of offers before the order is escalated.", 1000),
  retryPauseMs: duration("The pause between rounds once that many have been made."),
  askAgainMs: duration("Drivers who said no or nothing are asked again when nobody else was found for so long."),
  customerMayCancelIn: listOf(CANCELLABLE, {
    description: "In these statuses a customer may cancel.",
    advice: "Most markets stop at accepted: from then on the kitchen has cost.",
  }),
  driverPayMinor: integer(0, 1_000_000_000, {
    description: "What a driver earns for one order whatever the way, in minor units of the currency.",
    advice: "450 is 4.50.",
  }),
  driverPayPerKmMinor: integer(0, 1_000_000_000, {
    description: "What a driver earns for each kilometre from the restaurant to the customer, in minor units.",
    advice: "60 is 0.60. Tips come on top, in full.",
  }),
  commissionPerMille: integer(0, 1000, {
    description: "What the marketplace keeps of a restaurant's items, in thousandths.",
    advice: "200 is 20 %. A change holds for orders placed from then on.",
  }),
  otherMethodAfterMs: duration(
    "A payment method that has not answered for this long is given up for the order's other one.",
    HOUR_MS,
    1000,
  ),
  paymentRetryMs: duration(
    "Between tries to capture or void when the provider does not answer; doubles.",
    HOUR_MS,
    100,
  ),
  viewMirrorMs: duration("How long a view answers polls after it was last written.", HOUR_MS, 1000),
  timelineKeep: count("Entries of an order's history that are kept.", 1000, 16),
});

const driver = section("Drivers and their positions. None of the GPS cadences is divided by timeScale.", {
  presenceMs: duration(
    "How often a driver tells the zones in reach where they are; a change of what they do is told at once.",
    HOUR_MS,
    500,
  ),
  stalledMs: duration(
    "Without a fix or a step of the trip for this long a driver on a trip counts as lost.",
    DAY_MS,
    1000,
  ),
  gpsAvailableMs: duration("Cadence asked of the app of a driver who waits.", HOUR_MS, 500),
  gpsTripMs: duration("Cadence asked of the app of a driver on a trip.", HOUR_MS, 500),
  gpsTokenMs: duration("One batch of fixes per this long is accepted, sustained.", HOUR_MS, 500),
  gpsBurst: count("Batches that may come at once after a silence.", 100),
  maxSpeedMetersPerSecond: number(1, 500, {
    description: "A speed between two fixes above this is flagged. Multiplied by timeScale.",
    advice: "50 is 180 km/h.",
  }),
  teleportMeters: meters("A jump shorter than this is never flagged. Multiplied by timeScale.", 100_000),
  maxAccuracyMeters: meters("A fix less accurate than this is flagged.", 100_000),
  maxAheadMs: duration("A fix from further in the future than this is flagged."),
  liveMs: duration("A fix older than this is never shown as live.", HOUR_MS, 1000),
  maxAgeMs: duration("A fix older than this is flagged.", 7 * DAY_MS, 1000),
  nearMeters: meters("The customer is told that the driver is near within this distance.", 100_000),
  positionMirrorMs: duration("How long a position answers polls after it was last written.", HOUR_MS, 1000),
  maxOpenOffers: count("Offers open for one driver at once.", 1000),
  cardGatherMs: duration("A trip of several orders is offered after this long with those that have come.", 10_000, 10),
});

const restaurant = section("Restaurants and their tablets.", {
  redeliverMs: duration(
    "From one telling of an order to the tablet to the next, until a person answers.",
    HOUR_MS,
    500,
  ),
  againMs: duration(
    "While no device has acknowledged an order it is pushed again after this, then each time after twice as long. Not divided by timeScale.",
    60_000,
    500,
  ),
  pushAfterMs: duration(
    "So long after an order was offered without a device that has it, its restaurant gets a push notification. Not divided by timeScale.",
    HOUR_MS,
    1000,
  ),
  secondAfterMs: duration(
    "So long after an order was offered without a device that has it, another device of the restaurant is pushed, or an SMS goes out. Not divided by timeScale.",
    HOUR_MS,
    1000,
  ),
  callAfterMs: duration(
    "So long after an order was offered without a person who answers, the restaurant is called.",
    HOUR_MS,
    1000,
  ),
  pauseAfterMissed: integer(0, 100, {
    description: "So many orders in a row that nobody answered pause a restaurant until a person resumes it.",
    advice: "1 pauses at the first, 0 never does.",
  }),
  tabletGraceMs: duration(
    "A restaurant whose tablets have not been heard for this long takes no new orders until one is back. Not divided by timeScale.",
    DAY_MS,
    5_000,
  ),
  maxTablets: count("Tablets of one restaurant; the one heard longest ago gives way.", 100),
  tombstoneMs: duration(
    "How long a released order is remembered, so that a late reservation is refused.",
    7 * DAY_MS,
    1000,
  ),
  maxTombstones: count("Released orders remembered by one restaurant.", 100_000),
  defaultDeliveryRadiusMeters: meters("The farthest destination, unless the restaurant says otherwise.", 200_000),
  defaultKitchenCapacity: count("Orders in a kitchen at once, unless the restaurant says otherwise.", 100_000),
  menuMirrorMs: duration("How long a menu answers reads after it was last written.", DAY_MS, 1000),
  serviceFeePerMille: integer(0, 1000, {
    description: "What the marketplace asks customers for its service, in thousandths of the items.",
    advice: "0 asks nothing. A menu shows another figure from its next change or order on; what it shows is asked.",
  }),
});

const zone = section("Dispatch zones and their matching.", {
  dispatch: oneOf(DISPATCH_MODES, {
    description: "How a zone decides which driver gets which order, when, and with which other order.",
    advice: "horizon plans all orders and drivers together, simple takes the nearest driver order by order.",
  }),
  horizonMs: duration("Between two plans of the horizon when nothing asks for one sooner.", HOUR_MS, 500),
  decisionPatienceMs: duration(
    "A decision that has not come by then is done without. Not divided by timeScale.",
    60_000,
    100,
  ),
  answerMs: duration("How long a driver is expected to think about an offer: it is made so much earlier."),
  promiseMs: duration("From placement until the customer expects the food; later than that weighs more."),
  latestMs: duration("From placement: nobody is planned who would deliver later."),
  maxTripOrders: count("The most orders of one trip; 1 shares none.", 3),
  maxTripRestaurants: count("The most restaurants of one trip, all of them next to each other; 1: from one alone.", 3),
  fairnessMs: duration(
    "What one order costs for a driver who has had clearly more than a fair part of the work, in time that a customer waits.",
    HOUR_MS,
  ),
  ratingMs: duration(
    "What one order costs for a driver with the worst of all ratings rather than the best, in time that a customer waits.",
    HOUR_MS,
  ),
  declineMs: duration("What one declined offer costs, in time that a customer waits.", HOUR_MS),
  tickMs: duration("How often a zone matches.", HOUR_MS, 50),
  presenceTtlMs: duration("A presence older than this is forgotten. Not divided by timeScale.", HOUR_MS, 1000),
  proposalMs: duration("After a proposal neither driver nor order is proposed again for this long.", HOUR_MS, 500),
  matchSlackMs: duration("An order is matched once its slack (preparation left − driver's way) is at most this."),
  reachMeters: meters("Drivers farther than this are not proposed.", 200_000),
  borderMeters: meters("Drivers this close to a border are present beyond it too.", 50_000),
  splitAbove: count("More open orders than this split a zone into its child cells.", 100_000),
  mergeBelow: count("Fewer open orders than this join them again.", 100_000),
  maxDrivers: count("Drivers one zone holds at the most.", 100_000),
  maxOrders: count("Orders one zone holds at the most.", 100_000),
  liveMs: duration("Between two pictures for the live map. Not divided by timeScale.", HOUR_MS, 100),
});

const eta = section("How arrivals are estimated, shown and told.", {
  utcOffsetMinutes: integer(-720, 840, {
    description:
      "The market's time minus UTC: kitchens and streets are learned by the hour of the city, and messages tell it.",
    advice: "Give minutes, for example -300 for Bogotá. Where clocks are put forward and back, give timeZone instead.",
  }),
  timeZone: optionalText(
    64,
    {
      description:
        "The market's time zone, which knows of summer time. It takes the place of utcOffsetMinutes, except where timeScale makes days shorter.",
      advice: "Give a name of the IANA database, for example Europe/Rome.",
    },
    { format: TIME_ZONE },
  ),
  quietMs: duration(
    "A new range is shown within a stage when the expected arrival moved by this much at least.",
    HOUR_MS,
  ),
  quietShare: number(0, 2, {
    description: "And by this share of what remains.",
    advice: "0.15 leaves 40 minutes alone until they are 34 or 46.",
  }),
  tellMs: duration(
    "The customer is told when the expected arrival moved further than this from what was told last.",
    HOUR_MS,
  ),
  maxTellings: count("An order tells its customer of so many changes at the most.", 100),
  cushionMs: duration("Added to both sides when errors are measured as ratios.", HOUR_MS, 1),
  historyKeep: count("Ranges kept per order.", 200, 8),
  moveMeters: meters("A driver on a trip looks at the way again after moving this far.", 10_000),
  driftMs: duration("And tells the order when the way takes so much longer or shorter than was told.", HOUR_MS),
  waitTellMs: duration("A driver who stands still tells the order this often.", HOUR_MS, 250),
  pictureMs: duration("A restaurant asks for its zone's figures again after this.", HOUR_MS, 250),
  keepMs: duration("A zone writes down what it has learned this often. Not divided by timeScale.", HOUR_MS, 1000),
});

const chat = section("Conversation.", {
  afterDeliveryMs: duration("How long customer and driver may still write to each other after the delivery.", DAY_MS),
  typingMs: duration("How long somebody is shown to write after saying so. Not divided by timeScale.", 60_000, 1000),
  contactRetryMs: duration(
    "A masked number that could not be closed is tried again after this. Not divided by timeScale.",
    HOUR_MS,
    1000,
  ),
});

export const domainSection = section("What the actors decide by.", {
  travel,
  order,
  driver,
  restaurant,
  zone,
  eta,
  chat,
});
