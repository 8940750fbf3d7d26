/**
 * The one catalogue of error codes. Every refusal a client can see is here, with whether the same request may succeed
 * later (`temporary`) and a hint for the person who reads it. HTTP statuses are the gateway's business.
 */
export interface ErrorEntry {
  readonly temporary: boolean;
  readonly hint: string;
}

const permanent = (hint: string): ErrorEntry => ({ temporary: false, hint });
const temporary = (hint: string): ErrorEntry => ({ temporary: true, hint });

export const ERRORS = {
  // The request itself
  invalid: permanent(
    "The request does not match its schema; in the error's detail, `path` names the field, `problem` what is wrong.",
  ),
  malformed: permanent("The bytes are not a valid frame or JSON document."),
  too_large: permanent("The request is larger than this endpoint accepts; `detail.maxBytes` says how large it may be."),
  unknown_command: permanent("There is no such command; the protocol document lists them all."),
  unknown_channel: permanent("There is no such channel; the protocol document lists them all."),
  not_found: permanent("There is no such thing, or it is not yours to see."),
  key_reused: permanent("This idempotency key was used with another body; use a new key for a new request."),
  expired: permanent("The request's `notAfter` has passed; nothing was done."),
  // Who asks
  unauthenticated: permanent("Send a valid token: `Authorization: Bearer …`, or HELLO on a socket."),
  token_expired: permanent("The token has expired; get a new one and try again."),
  forbidden: permanent("This role may not do that."),
  wrong_credentials: permanent("E-mail and password do not belong together."),
  email_taken: permanent("There is an account with this e-mail address and another password; sign in instead."),
  account_banned: permanent("This account is banned; support can tell why."),
  role_missing: permanent(
    "The account does not have this role; `detail.state` says how its application stands, `detail.restaurantIds` which restaurants it may choose from.",
  ),
  consent_missing: permanent("The driver has not consented to be located: `PUT /v1/me/consents/location`."),
  session_ended: permanent("The session has ended; sign in again."),
  too_many: permanent("There are as many of these as there may be; `detail.most` says how many."),
  // Load and faults
  overloaded: temporary("The node is at its limit; wait `retryAfterMs` and try again with the same key."),
  rate_limited: temporary("Too many requests from this account; wait `retryAfterMs`."),
  timeout: temporary("No answer in time; it may or may not have happened. Try again with the same key."),
  unavailable: temporary("The store or an actor is not reachable for the moment. Try again with the same key."),
  not_owner: temporary("The shard has moved; the client library follows by itself."),
  internal: temporary("Something broke on our side and was recorded. Try again with the same key."),
  quarantined: permanent("This command failed three times and was put aside for a person to look at."),
  draining: temporary("The node is shutting down; reconnect."),
  // Orders
  price_changed: permanent(
    "A price is not what the customer saw; `detail.items` has the new ones. Confirm and place again with a new key.",
  ),
  item_unavailable: permanent("An item cannot be ordered now; `detail.items` says which and how many are left."),
  options_invalid: permanent(
    "What was chosen does not fit the menu; `detail.lines` says for which line and group, and what is wanted.",
  ),
  below_minimum: permanent(
    "The order is smaller than this restaurant delivers; `detail.minimumMinor` is the least that its items come to.",
  ),
  address_unknown: permanent("This address was not found; send `lat` and `lng`, or more of the address."),
  already_exists: permanent("There is one by this id already."),
  restaurant_closed: permanent("The restaurant does not take orders now."),
  restaurant_unknown: permanent("There is no such restaurant."),
  out_of_area: permanent("The destination is outside the area this restaurant delivers to."),
  payment_declined: permanent("The payment was declined; use another method."),
  payment_failed: temporary("The payment provider does not answer; no money was taken."),
  promotion_refused: permanent(
    "The promotion's code cannot be used for this order; `detail.reason` says why. Place without it, with a new key.",
  ),
  refund_too_large: permanent("More than what is left of the payment; `detail.leftMinor` says how much is left."),
  too_many_methods: permanent("This account has as many saved payment methods as it may; remove one."),
  signature_invalid: permanent("The signature is missing, too old, or not that of these bytes."),
  illegal_transition: permanent("This cannot be done in the status that it is in; `detail.status` says which that is."),
  order_not_assignable: permanent("The order is not waiting for a driver."),
  // Ratings
  not_delivered: permanent("What has not been delivered cannot be rated yet."),
  already_rated: permanent("This was rated before, with other words or stars; the first rating stands."),
  // Search
  cursor_invalid: permanent(
    "The cursor belongs to another search. Send what gave it unchanged, or leave it out and start at the first page.",
  ),
  // Drivers and offers
  offer_expired: permanent("The offer has expired."),
  offer_taken: permanent("Another driver was faster."),
  offer_withdrawn: permanent("The offer was withdrawn."),
  driver_busy: permanent("The driver is on a trip or decides another claim."),
  driver_offline: permanent("The driver is not on shift."),
  not_your_trip: permanent("The order is not on this driver's trip."),
  // Conversation
  claimed_by_other: permanent("Another agent has this conversation; `detail.agentId` says who."),
  not_claimed: permanent("Claim the conversation first."),
  room_closed: permanent("The conversation is over; nothing more can be said in it."),
  not_on_the_way: permanent(
    "A customer and a driver can reach each other from the pickup until after the delivery; `detail.status` says where the order is.",
  ),
  // Stock
  stock_too_low: permanent("Fewer are left than that; `detail.left` says how many."),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** Close codes: below 4500 reconnect (after a pause), from 4500 on do not. */
export const CLOSE = {
  drain: 4001,
  noPong: 4002,
  slow: 4003,
  rate: 4004,
  tokenExpired: 4005,
  resumeImpossible: 4006,
  serverError: 4007,
  badToken: 4500,
  protocol: 4501,
  helloTimeout: 4502,
  forbidden: 4503,
  version: 4504,
  tooManyConnections: 4505,
  replaced: 4506,
} as const;

export function mayReconnect(closeCode: number): boolean {
  return closeCode < 4500;
}
