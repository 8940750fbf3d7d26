/**
 * Signatures of webhooks: `t=<milliseconds>,v1=<hex>` with HMAC-SHA256 over the time, a dot, and the bytes of the body.
 * What is too old is refused, so that a recorded call cannot be played back for ever; within the time, repeating is
 * harmless, because orders know what they were told.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const FORM = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/;

function macOf(secret: string, at: number, body: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(`${at}.`).update(body).digest();
}

export function signBody(secret: string, at: number, body: Uint8Array): string {
  return `t=${at},v1=${macOf(secret, at, body).toString("hex")}`;
}

/** True when one of the secrets signed these bytes within `toleranceMs` of `now`, in either direction. */
export function isSigned(
  secrets: readonly string[],
  header: string,
  body: Uint8Array,
  now: number,
  toleranceMs: number,
): boolean {
  const match = FORM.exec(header);
  if (match === null) return false;
  const at = Number(match[1]);
  const given = Buffer.from(match[2]!, "hex");
  // Every secret is tried and each comparison takes the same time, so that the answer's time tells nothing.
  let known = false;
  for (const secret of secrets) known = timingSafeEqual(given, macOf(secret, at, body)) || known;
  return known && Math.abs(now - at) <= toleranceMs;
}
