/**
 * What a poll costs in things that can be counted, on any machine alike: calls into the native server, each of which costs
 * about as much as all that is ours in between, and reads of what is not in this thread.
 */
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import { createTrackingService, fixKey, viewKey } from "../../services/tracking/mod.js";
import { createTokens, generateTokenKey } from "../auth/tokens.js";
import { trackingOf } from "../fixtures/harness.js";
import { DEFAULT_TIER_RATES, TierLimits } from "../limits/tiers.js";
import type { NativeRequest, NativeResponse } from "../native.js";
import { DEFAULT_GATEWAY_SETTINGS } from "../settings.js";
import { newStats } from "../stats.js";
import { ROUTES, routeName } from "./routes.js";
import { trackShortcut } from "./track.js";

/** Of one that is answered at once, and of one that waits for the end of the turn. */
const MOST_NATIVE_CALLS = { alone: 5, together: 7 };
const POLLS = 20;

t.test("R-BEN-1: a poll of what is at hand takes few calls into the native server, and reads nothing", async (t) => {
  let now = systemClock().now();
  const clock = { ...systemClock(), now: () => now };
  const entryOf = (key: string, value: unknown) => ({
    key,
    value: value as Json,
    version: [1, 1] as const,
    expiresAt: Number.MAX_SAFE_INTEGER,
  });
  const position = { lat: 41, lng: 29, at: 1_000 };
  const held = new Map(
    [
      entryOf(viewKey("o1"), trackingOf("o1", 3, "picked_up", { driverId: "d1", number: 4 })),
      entryOf(fixKey("d1"), { position, grants: { o1: 4 } }),
    ].map((entry) => [entry.key, entry]),
  );
  const read = (): Promise<never> => Promise.reject(new Error("read"));
  const tracking = createTrackingService({
    clock,
    copy: { get: (key) => held.get(key) ?? null, told: (key) => held.get(key) ?? null },
    mirror: { read },
    index: { queryIndex: read },
  });
  const tokens = createTokens({ keys: [generateTokenKey("k")], clock, maxCached: 10 });
  const token = tokens.issue({ id: "c1", role: "customer" }, 60);
  t.ok(tokens.verify(token).ok);
  const ends: (() => void)[] = [];
  const shortcut = trackShortcut(
    {
      stats: newStats(),
      tiers: new TierLimits(DEFAULT_TIER_RATES, 10),
      tokens,
      clock,
      settings: DEFAULT_GATEWAY_SETTINGS,
      endOfTurn: (run) => ends.push(run),
    },
    tracking,
    ROUTES.find((route) => routeName(route) === "GET /v1/orders/:orderId/track")!,
  );
  let calls = 0;
  /** Every method counts; `answers` are the ones that give something back. */
  const native = <T extends object>(answers: Readonly<Record<string, (...args: string[]) => unknown>>): T =>
    new Proxy({} as T, {
      get: (_, name, self) => {
        calls++;
        return answers[String(name)] ?? (() => self);
      },
    });
  const headers: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` };
  const bodies: string[] = [];
  const poll = (): void => {
    const req = native<NativeRequest>({ getHeader: (name) => headers[name!] ?? "", getParameter: () => "o1" });
    const res = native<NativeResponse>({
      tryEnd: (body) => [true, bodies.push(Buffer.from(body!).toString()) > 0],
      cork: (write) => (write as unknown as () => void)(),
    });
    t.ok(shortcut(res, req));
  };
  for (let i = 0; i < POLLS; i++) {
    now += 1;
    poll();
  }
  t.equal(bodies.length, POLLS);
  t.match(JSON.parse(bodies[0]!), { view: { orderId: "o1" }, position, fresh: true });
  t.ok(calls / POLLS <= MOST_NATIVE_CALLS.alone, `${calls / POLLS} calls a poll`);

  calls = 0;
  now += 1;
  for (let i = 0; i < POLLS; i++) poll();
  for (const end of ends) end();
  t.same([bodies.length, ends.length], [2 * POLLS, 1], "many at once leave together");
  t.match(JSON.parse(bodies.at(-1)!), { view: { orderId: "o1" }, position, fresh: true });
  t.ok(calls / POLLS <= MOST_NATIVE_CALLS.together, `${calls / POLLS} calls a poll`);
  const { fromCopy, mirrorReads, indexReads } = tracking.stats;
  t.same([fromCopy, mirrorReads, indexReads], [2 * POLLS, 0, 0]);
});
