/**
 * Refusals by HTTP: problem details (RFC 9457) with the catalogue's code, hint, and whether and when to try again. The
 * only place where codes become statuses. `error` repeats what an ERR frame carries, for clients that speak both.
 */
import type { JsonObject } from "../../lib/json.js";
import { ERRORS, type ErrorCode, isErrorCode } from "../../protocol/mod.js";
import type { NativeResponse } from "../native.js";
import type { ActorError } from "../ports.js";
import { sendBody } from "./sending.js";

export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  malformed: 400,
  too_large: 413,
  unknown_command: 404,
  unknown_channel: 404,
  not_found: 404,
  key_reused: 422,
  expired: 410,
  unauthenticated: 401,
  token_expired: 401,
  forbidden: 403,
  wrong_credentials: 401,
  email_taken: 409,
  account_banned: 403,
  role_missing: 403,
  consent_missing: 403,
  session_ended: 401,
  too_many: 409,
  overloaded: 503,
  rate_limited: 429,
  timeout: 504,
  unavailable: 503,
  not_owner: 503,
  internal: 500,
  quarantined: 500,
  draining: 503,
  price_changed: 409,
  item_unavailable: 409,
  restaurant_closed: 409,
  options_invalid: 422,
  below_minimum: 422,
  address_unknown: 422,
  already_exists: 409,
  restaurant_unknown: 404,
  out_of_area: 422,
  payment_declined: 402,
  payment_failed: 503,
  illegal_transition: 409,
  promotion_refused: 409,
  refund_too_large: 409,
  too_many_methods: 409,
  signature_invalid: 401,
  order_not_assignable: 409,
  offer_expired: 410,
  offer_taken: 409,
  offer_withdrawn: 409,
  driver_busy: 409,
  driver_offline: 409,
  not_your_trip: 404,
  stock_too_low: 409,
  not_delivered: 409,
  already_rated: 409,
  cursor_invalid: 400,
  claimed_by_other: 409,
  not_claimed: 409,
  not_on_the_way: 409,
  room_closed: 409,
};

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: "200 OK",
  204: "204 No Content",
  304: "304 Not Modified",
  400: "400 Bad Request",
  401: "401 Unauthorized",
  402: "402 Payment Required",
  403: "403 Forbidden",
  404: "404 Not Found",
  405: "405 Method Not Allowed",
  409: "409 Conflict",
  410: "410 Gone",
  413: "413 Content Too Large",
  422: "422 Unprocessable Content",
  429: "429 Too Many Requests",
  500: "500 Internal Server Error",
  503: "503 Service Unavailable",
  504: "504 Gateway Timeout",
};

export function statusText(status: number): string {
  return STATUS_TEXT[status] ?? `${status} Unknown`;
}

export interface ProblemOptions {
  readonly retryAfterMs?: number;
  readonly detail?: JsonObject;
  /** Where the catalogue's status does not fit: a wrong method is 405, not 404. */
  readonly status?: number;
  /** Where the catalogue's sentence does not fit. */
  readonly hint?: string;
  /** The methods that are right, for the `Allow` that a 405 has to carry (RFC 9110 section 15.5.6). */
  readonly allow?: string;
}

/** What is to be said to a person: the catalogue's sentence, or for a wrong field, which one and why. */
function sentenceOf(code: ErrorCode, detail: JsonObject | undefined): string {
  const { hint } = ERRORS[code];
  if (code !== "invalid" || detail === undefined) return hint;
  const { path, problem } = detail;
  if (typeof path !== "string" || typeof problem !== "string") return hint;
  return `${path === "" ? "The body" : `\`${path}\``} ${problem}. ${hint}`;
}

/** The body of a refusal, and its status. */
export function problemOf(
  code: ErrorCode,
  options: ProblemOptions = {},
): { readonly status: number; readonly body: string } {
  const status = options.status ?? STATUS[code];
  const { temporary } = ERRORS[code];
  const retryAfterMs = options.retryAfterMs === undefined ? undefined : Math.ceil(options.retryAfterMs);
  return {
    status,
    body: JSON.stringify({
      type: `urn:swifteats:error:${code}`,
      title: code.replaceAll("_", " "),
      status,
      detail: options.hint ?? sentenceOf(code, options.detail),
      error: { code, temporary, retryAfterMs, detail: options.detail },
    }),
  };
}

/** An actor's error as a refusal; a code that is not in the catalogue is our fault. */
export function problemOfError(error: ActorError): { readonly code: ErrorCode; readonly options: ProblemOptions } {
  const code: ErrorCode = isErrorCode(error.code) ? error.code : "internal";
  return {
    code,
    options: {
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    },
  };
}

/** For the moments before there is an exchange: a refused upgrade. Answers at once. */
export function sendProblem(res: NativeResponse, code: ErrorCode, options: ProblemOptions = {}): void {
  const { status, body } = problemOf(code, options);
  res.cork(() => {
    res.writeStatus(statusText(status)).writeHeader("content-type", "application/problem+json");
    if (options.retryAfterMs !== undefined) {
      res.writeHeader("retry-after", String(Math.max(1, Math.ceil(options.retryAfterMs / 1000))));
    }
    sendBody(res, body, () => {});
  });
}
