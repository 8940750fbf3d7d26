/**
 * A provider of masked numbers over HTTP: `PUT <url>/pairs/<pairId>` with the two references answers `{ "number" }`,
 * `DELETE <url>/pairs/<pairId>` ends it. Owns the time limit of one call; the patient repeats are the effect runner's.
 */
import { endpointOf } from "../../lib/endpoint.js";
import { type ContactProvider, ContactRefused, ContactUnavailable } from "./ports.js";

export interface HttpContactSettings {
  readonly url: string;
  /** Sent as `Authorization: Bearer`; null: none. */
  readonly token: string | null;
  readonly timeoutMs: number;
}

const NUMBER = /^\+?[0-9]{3,20}$/;

export function httpContactProvider({ url, token, timeoutMs }: HttpContactSettings): ContactProvider {
  const { base, headers } = endpointOf(url);
  async function call(method: "PUT" | "DELETE", pairId: string, body: object | null): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(`${base}/pairs/${encodeURIComponent(pairId)}`, {
        method,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          ...(body === null ? {} : { "content-type": "application/json" }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
      });
      if (response.ok) return method === "PUT" ? await response.json() : null;
    } catch (error) {
      throw new ContactUnavailable(`The provider of numbers does not answer: ${String(error)}`);
    }
    const said = (await response.text().catch(() => "")).slice(0, 200);
    if (method === "DELETE" && (response.status === 404 || response.status === 410)) return null;
    // What is wrong with the request stays wrong; everything else may pass.
    if (REFUSALS.has(response.status)) throw new ContactRefused(said);
    throw new ContactUnavailable(said);
  }

  return {
    async open({ pairId, customerId, driverId }) {
      const answer = (await call("PUT", pairId, { customer: customerId, driver: driverId })) as {
        readonly number?: unknown;
      } | null;
      const number = answer?.number;
      if (typeof number !== "string" || !NUMBER.test(number)) throw new ContactUnavailable("no number");
      return { number };
    },
    async close(pairId) {
      await call("DELETE", pairId, null);
    },
  };
}

/** Bad Request, Forbidden, Conflict, Gone, Unprocessable. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 409, 410, 422]);
