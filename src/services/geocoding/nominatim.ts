/**
 * Addresses from a server that speaks Nominatim's HTTP API (`/search?format=jsonv2`), with the built-in gazetteer behind
 * it. Owns the time limit of one request, the bound on requests at once, the circuit breaker that spares a server that is
 * down and its callers the wait, and a memory of what was asked for lately.
 *
 * Invariants: what the server did not say in its own format is not believed; the memory is bounded; an address is looked
 * up once at a time, however many ask.
 */
import {
  bulkhead,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  type IPolicy,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import type { Clock } from "../../lib/clock.js";
import { endpointOf } from "../../lib/endpoint.js";
import type { FoundAddress, Geocoder } from "./ports.js";

export interface NominatimSettings {
  /** `http://host:port`, perhaps with a path in front of `/search`. */
  readonly url: string;
  /** Of one request. */
  readonly timeoutMs: number;
  /** So many failures in a row open the circuit, for `openMs`. */
  readonly breakAfter: number;
  readonly openMs: number;
  readonly maxInFlight: number;
  /** Answers remembered, and for how long. */
  readonly maxKept: number;
  readonly keepMs: number;
}

export const defaultNominatimSettings: Omit<NominatimSettings, "url"> = {
  timeoutMs: 1_000,
  breakAfter: 5,
  openMs: 5_000,
  maxInFlight: 16,
  maxKept: 10_000,
  keepMs: 24 * 60 * 60_000,
};

/** Of a result, what is read. Nominatim writes degrees as texts. */
interface Result {
  readonly lat?: unknown;
  readonly lon?: unknown;
  readonly display_name?: unknown;
}

const MOST = 10;
const MAX_ADDRESS = 200;

function degrees(text: unknown, most: number): number {
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : text;
  if (typeof value !== "number" || !(Math.abs(value) <= most)) throw new Error("the geocoder names no place");
  return value;
}

function read(body: unknown): readonly FoundAddress[] {
  if (!Array.isArray(body)) throw new Error("the geocoder answers no list");
  return body.slice(0, MOST).map((result: Result) => ({
    address: String(result.display_name ?? "").slice(0, MAX_ADDRESS),
    lat: degrees(result.lat, 90),
    lng: degrees(result.lon, 180),
    source: "nominatim",
  }));
}

export function nominatimGeocoder(settings: NominatimSettings, fallback: Geocoder, clock: Clock): Geocoder {
  const { base, headers } = endpointOf(settings.url);
  const kept = new Map<string, { readonly found: readonly FoundAddress[]; readonly until: number }>();
  const asking = new Map<string, Promise<readonly FoundAddress[]>>();
  const policy: IPolicy = wrap(
    bulkhead(settings.maxInFlight, 0),
    circuitBreaker(handleAll, {
      halfOpenAfter: settings.openMs,
      breaker: new ConsecutiveBreaker(settings.breakAfter),
    }),
    timeout(settings.timeoutMs, TimeoutStrategy.Aggressive),
  );

  function remember(key: string, found: readonly FoundAddress[]): readonly FoundAddress[] {
    if (kept.size >= settings.maxKept) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    kept.set(key, { found, until: clock.monotonic() + settings.keepMs });
    return found;
  }

  function ask(key: string): Promise<readonly FoundAddress[]> {
    const under = asking.get(key);
    if (under !== undefined) return under;
    const answer = policy
      .execute(async ({ signal }) => {
        const query = new URLSearchParams({ q: key, format: "jsonv2", limit: String(MOST) });
        const response = await fetch(`${base}/search?${query}`, { headers, signal: signal ?? null });
        if (!response.ok) throw new Error(`the geocoder answers ${response.statusText}`);
        return remember(key, read(await response.json()));
      })
      .catch(() => fallback.find(key, MOST))
      .finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  }

  async function find(text: string, limit: number): Promise<readonly FoundAddress[]> {
    const key = text.trim().replaceAll(/\s+/g, " ").toLowerCase();
    const known = kept.get(key);
    const found = known !== undefined && known.until > clock.monotonic() ? known.found : await ask(key);
    return found.slice(0, limit);
  }

  return { find, locate: async (text) => (await find(text, 1))[0] ?? null };
}
