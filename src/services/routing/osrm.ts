/**
 * Ways from a server that speaks OSRM's HTTP API (version 1: `route` and `table`), with the built-in router behind it.
 * Owns the time limit of one request, the bound on requests at once, the circuit breaker that spares a server that is down
 * and its callers the wait, and a small memory of ways that were asked for lately.
 *
 * Invariants: it never rejects and never takes longer than `timeoutMs`; what the server did not say in its own format is
 * not believed; the memory is bounded.
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
import type { Point } from "../../lib/geo.js";
import type { Router, Way } from "./ports.js";

export interface OsrmSettings {
  /** `http://host:port`, without a path. */
  readonly url: string;
  /** The network the server was built for: `driving`, `bike`, … */
  readonly profile: string;
  /** By how much the day is shorter than the server's. */
  readonly timeScale: number;
  /** Of one request. A quote has 100 ms in all. */
  readonly timeoutMs: number;
  /** So many failures in a row open the circuit, for `openMs`. */
  readonly breakAfter: number;
  readonly openMs: number;
  /** Requests under way; more are answered by the built-in router. */
  readonly maxInFlight: number;
  /** Ways remembered, and for how long. */
  readonly maxKept: number;
  readonly keepMs: number;
}

export const defaultOsrmSettings: Omit<OsrmSettings, "url"> = {
  profile: "driving",
  timeScale: 1,
  timeoutMs: 50,
  breakAfter: 5,
  openMs: 5_000,
  maxInFlight: 64,
  maxKept: 10_000,
  keepMs: 10 * 60_000,
};

export interface RouterStats {
  asked: number;
  kept: number;
  /** Answers of the built-in router because the server's did not come, or was none. */
  fellBack: number;
}

export interface OsrmRouter extends Router {
  readonly stats: RouterStats;
}

/** Of the server's answers, what is read. Seconds and metres. */
interface RouteAnswer {
  readonly code?: unknown;
  readonly routes?: readonly { readonly duration?: unknown; readonly distance?: unknown }[];
}
interface TableAnswer {
  readonly code?: unknown;
  readonly durations?: readonly (readonly unknown[])[];
  readonly distances?: readonly (readonly unknown[])[];
}

/** Four decimals are eleven metres: the same street. */
const keyOf = (from: Point, to: Point): string =>
  `${from.lat.toFixed(4)},${from.lng.toFixed(4)};${to.lat.toFixed(4)},${to.lng.toFixed(4)}`;
const coordinate = ({ lat, lng }: Point): string => `${lng.toFixed(6)},${lat.toFixed(6)}`;
const indexes = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => first + index).join(";");

export function osrmRouter(settings: OsrmSettings, fallback: Router, clock: Clock): OsrmRouter {
  const { profile, timeScale } = settings;
  const { base, headers } = endpointOf(settings.url);
  const kept = new Map<string, { readonly way: Way; readonly until: number }>();
  const stats: RouterStats = { asked: 0, kept: 0, fellBack: 0 };
  const policy: IPolicy = wrap(
    bulkhead(settings.maxInFlight, 0),
    circuitBreaker(handleAll, {
      halfOpenAfter: settings.openMs,
      breaker: new ConsecutiveBreaker(settings.breakAfter),
    }),
    timeout(settings.timeoutMs, TimeoutStrategy.Aggressive),
  );

  /** Rejects when there was no answer in OSRM's format. */
  function ask<T>(path: string, read: (body: unknown) => T): Promise<T> {
    return policy.execute(async ({ signal }) => {
      stats.asked++;
      const response = await fetch(`${base}${path}`, { headers, signal: signal ?? null });
      if (!response.ok) throw new Error(`the router answers ${response.statusText}`);
      return read(await response.json());
    });
  }

  function wayOf(duration: unknown, distance: unknown): Way {
    if (typeof duration !== "number" || typeof distance !== "number" || !(duration >= 0) || !(distance >= 0)) {
      throw new Error("the router names no way");
    }
    return { meters: Math.round(distance), durationMs: Math.round((duration * 1000) / timeScale), source: "osrm" };
  }

  function remember(key: string, way: Way): Way {
    if (kept.size >= settings.maxKept) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    kept.set(key, { way, until: clock.monotonic() + settings.keepMs });
    return way;
  }

  function known(from: Point, to: Point): Way | null {
    const found = kept.get(keyOf(from, to));
    if (found === undefined || found.until <= clock.monotonic()) return null;
    stats.kept++;
    return found.way;
  }

  return {
    stats,
    way(from, to) {
      const before = known(from, to);
      if (before !== null) return before;
      const path = `/route/v1/${profile}/${coordinate(from)};${coordinate(to)}?overview=false&steps=false`;
      return ask(path, (body) => {
        const { code, routes } = body as RouteAnswer;
        if (code !== "Ok") throw new Error(`the router answers ${String(code)}`);
        return remember(keyOf(from, to), wayOf(routes?.[0]?.duration, routes?.[0]?.distance));
      }).catch(() => {
        stats.fellBack++;
        return fallback.way(from, to);
      });
    },
    ways(from, to) {
      if (from.length === 0 || to.length === 0) return from.map(() => []);
      const found = from.map((start) => to.map((end) => known(start, end)));
      if (found.every((row) => row.every((way) => way !== null))) return found as readonly (readonly Way[])[];
      const places = [...from, ...to].map(coordinate).join(";");
      const path =
        `/table/v1/${profile}/${places}?sources=${indexes(0, from.length)}` +
        `&destinations=${indexes(from.length, to.length)}&annotations=duration,distance`;
      return ask(path, (body) => {
        const { code, durations, distances } = body as TableAnswer;
        if (code !== "Ok") throw new Error(`the router answers ${String(code)}`);
        return from.map((start, i) =>
          to.map((end, j) => remember(keyOf(start, end), wayOf(durations?.[i]?.[j], distances?.[i]?.[j]))),
        );
      }).catch(() => {
        stats.fellBack++;
        return fallback.ways(from, to);
      });
    },
  };
}
