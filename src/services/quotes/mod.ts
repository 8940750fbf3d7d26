/**
 * When an order would arrive if it were placed now (R-ETA-2). Owns how old a restaurant's word may be, how long one is
 * waited for, and the quote's arithmetic, which is the very one that orders use.
 *
 * Invariants: a quote is answered within `patienceMs` and the router's own limit, whatever does not answer; one question
 * per restaurant is under way at a time; restaurants remembered are bounded; a quote promises nothing.
 */
import { actorRef } from "../../actors/runtime/mod.js";
import { arrivalRange, newZoneModel, type Outlook, pictureOf, remainingMs, type ZoneDefaults } from "../../eta/mod.js";
import type { Clock } from "../../lib/clock.js";
import { distanceMeters, type Point } from "../../lib/geo.js";
import {
  type ArrivalQuote,
  delivers,
  isListed,
  type MenuView,
  type OperationHandlers,
  type QUOTE_OPERATIONS,
} from "../../protocol/mod.js";
import type { ActorClient, FoundWay, MenuReader, WayFinder } from "./ports.js";

export type { FoundWay, MenuReader, WayFinder } from "./ports.js";

export interface QuoteSettings extends ZoneDefaults {
  readonly defaultPrepMs: number;
  /** A restaurant's word is as good as new for this long … */
  readonly freshMs: number;
  /** … and answers for this long while a newer one is asked for. */
  readonly staleMs: number;
  /** How long a quote waits for a restaurant that was not heard of. */
  readonly patienceMs: number;
  readonly maxKept: number;
}

const minutes = (count: number): number => count * 60_000;

/** For a city whose day is as long as ours. */
export const DEFAULT_QUOTE_SETTINGS: QuoteSettings = {
  minuteMs: minutes(1),
  utcOffsetMinutes: 0,
  handoverMs: minutes(2),
  cushionMs: minutes(2),
  defaultPrepMs: minutes(15),
  freshMs: 5_000,
  staleMs: minutes(5),
  patienceMs: 40,
  maxKept: 20_000,
};

export type QuoteResult =
  | { readonly ok: true; readonly quote: ArrivalQuote }
  | { readonly ok: false; readonly code: "restaurant_unknown" | "unavailable" };

export interface QuoteService {
  quote(restaurantId: string, destination: Point): Promise<QuoteResult>;
}

export function quoteOperations(quotes: QuoteService): OperationHandlers<typeof QUOTE_OPERATIONS> {
  return {
    "quotes.quote": async ({ params, query }) => {
      const result = await quotes.quote(params.restaurantId, query);
      if (result.ok) return { ok: true, value: result.quote, cacheControl: "private, max-age=5" };
      return { ok: false, code: result.code, ...(result.code === "unavailable" ? { retryAfterMs: 2_000 } : {}) };
    },
  };
}

const Restaurant = actorRef<{ outlook: { input: null; reply: Outlook } }>("restaurant");
const ASKER = { id: "quotes", role: "gateway" };

interface Kept {
  outlook: Outlook | null;
  /** Monotonic. */
  heardAt: number;
  asking: Promise<Outlook | null> | null;
}

export function createQuoteService(deps: {
  readonly client: ActorClient;
  readonly menus: MenuReader;
  readonly router: WayFinder;
  readonly clock: Clock;
  readonly settings?: Partial<QuoteSettings>;
}): QuoteService {
  const { client, menus, router, clock } = deps;
  const settings = { ...DEFAULT_QUOTE_SETTINGS, ...deps.settings };
  const kept = new Map<string, Kept>();
  const usualZone = pictureOf(newZoneModel(), 0, settings);
  const usual: Outlook = {
    menuMs: settings.defaultPrepMs,
    prepMs: settings.defaultPrepMs,
    acceptMs: settings.minuteMs,
    promise: { factor: 1, weight: 1 },
    zone: null,
  };
  let asked = 0;

  function ask(restaurantId: string, entry: Kept): Promise<Outlook | null> {
    entry.asking ??= client
      .ask(Restaurant, restaurantId, "outlook", null, {
        // A pure read is never remembered; the id only has to be another one each time.
        commandId: `outlook-${++asked}`,
        caller: ASKER,
        timeoutMs: 10 * settings.patienceMs,
      })
      .then((answer) => {
        entry.asking = null;
        if (!answer.ok) return null;
        entry.outlook = answer.value;
        entry.heardAt = clock.monotonic();
        return entry.outlook;
      });
    return entry.asking;
  }

  /** Null: nothing was heard in time. */
  function outlookOf(restaurantId: string): Outlook | null | Promise<Outlook | null> {
    let entry = kept.get(restaurantId);
    if (entry === undefined) {
      if (kept.size >= settings.maxKept) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
      entry = { outlook: null, heardAt: Number.NEGATIVE_INFINITY, asking: null };
      kept.set(restaurantId, entry);
    }
    const ageMs = clock.monotonic() - entry.heardAt;
    if (ageMs < settings.freshMs) return entry.outlook;
    const answer = ask(restaurantId, entry);
    if (ageMs < settings.staleMs) return entry.outlook;
    return new Promise((resolve) => {
      const cancel = clock.after(settings.patienceMs, () => resolve(null));
      void answer.then((outlook) => {
        cancel();
        resolve(outlook);
      });
    });
  }

  function quoteOf(menu: MenuView, destination: Point, heard: Outlook | null, way: FoundWay): ArrivalQuote {
    const now = clock.now();
    const outlook = heard ?? usual;
    const picture = outlook.zone ?? usualZone;
    const crow = distanceMeters(menu, destination);
    const leftMs = remainingMs(
      {
        stage: "placed",
        now,
        since: now,
        acceptMs: outlook.acceptMs,
        prepMs: outlook.prepMs,
        readyAt: null,
        wayMs: way.durationMs,
        wayMeters: crow,
        vehicle: null,
        progress: null,
        arrived: false,
      },
      picture,
    );
    const range = arrivalRange(now, leftMs, "placed", picture, settings.cushionMs);
    return {
      restaurantId: menu.restaurantId,
      at: now,
      open: menu.open,
      delivers: delivers(menu, destination),
      earliest: range.from,
      expected: range.expected,
      likely: range.likely,
      latest: range.to,
      currency: menu.currency,
      deliveryFeeMinor: menu.deliveryFeeMinor,
      distanceMeters: Math.round(crow),
      travelMs: Math.round(way.durationMs * picture.way),
      preparationMs: outlook.prepMs,
      basis: heard === null ? "usual" : "learned",
      router: way.source,
    };
  }

  return {
    async quote(restaurantId, destination) {
      let menu: MenuView | null;
      try {
        menu = await menus.menu(restaurantId);
      } catch {
        return { ok: false, code: "unavailable" };
      }
      // A draft is its own people's: to all others there is no such restaurant, here as in its menu.
      if (menu === null || !isListed(menu)) return { ok: false, code: "restaurant_unknown" };
      const [heard, way] = await Promise.all([outlookOf(restaurantId), router.way(menu, destination)]);
      return { ok: true, quote: quoteOf(menu, destination, heard, way) };
    },
  };
}
