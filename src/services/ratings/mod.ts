/**
 * Ratings and reviews after delivery (R-RAT-1). Owns who may rate whom, that an order is rated once, and what reviews look
 * like to whom. Does not own the arithmetic of totals, which is the store's, in its transaction.
 *
 * Invariants: only those who took part in a delivered order rate it, each the other side, once; another's order reads as
 * not found; a hidden review counts for nothing; nobody but support learns who wrote a review.
 */
import type { EffectRunner } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import { type Random, uuidV7 } from "../../lib/random.js";
import type {
  ErrorCode,
  ModeratedReview,
  OperationCaller,
  OperationHandlers,
  OperationResult,
  OrderTracking,
  OwnReview,
  PublicReview,
  RATING_OPERATIONS,
  Rated,
  RatingTotals,
} from "../../protocol/mod.js";
import { readCursor, writeCursor } from "./cursor.js";
import {
  type Decision,
  MAX_TOTALS,
  type NoticeSpeaker,
  type OrderReader,
  RATING_CHANGED,
  type RatingReader,
  type RatingStore,
  type Review,
} from "./ports.js";

export { createOrderReader } from "./order-reader.js";
export type { NoticeSpeaker, OrderReader, RatingReader, RatingStore } from "./ports.js";
export { RATING_CHANGED, type RatingChanged } from "./ports.js";

const PAGE = 20;
const REASONS_SHOWN = 20;
const NONE: RatingTotals = { average: 0, count: 0 };

interface RatingDeps {
  readonly store: RatingStore;
  readonly orders: OrderReader;
  readonly notices: NoticeSpeaker;
  readonly clock: Clock;
  readonly random: Random;
}

export function createRatingReader(store: RatingStore): RatingReader {
  return {
    async totals(rated, ratedIds) {
      const found = new Map<string, RatingTotals>();
      for (let from = 0; from < ratedIds.length; from += MAX_TOTALS) {
        const part = await store.totals(rated, ratedIds.slice(from, from + MAX_TOTALS));
        for (const { ratedId, totals } of part) found.set(ratedId, totals);
      }
      return found;
    },
  };
}

/**
 * What zones ask of drivers: ids in, a row [id, average, how many] for each out. Null when nobody can say now: the zone
 * decides without, and asks again.
 */
export function driverRatingsEffect(reader: RatingReader): EffectRunner {
  return async ({ input }) => {
    const driverIds = input as readonly string[];
    try {
      const found = await reader.totals("driver", driverIds);
      return driverIds.map((driverId) => {
        const { average, count } = found.get(driverId) ?? NONE;
        return [driverId, average, count];
      });
    } catch {
      return null;
    }
  };
}

export function ratingOperations(deps: RatingDeps): OperationHandlers<typeof RATING_OPERATIONS> {
  const { store, orders, notices, clock, random } = deps;

  /** A word that is lost costs nothing: whoever keeps ratings reads them again from time to time. */
  function say({ rated, ratedId }: Review): void {
    notices.publish(RATING_CHANGED, { rated, ratedId }).catch(() => undefined);
  }

  /** Whom the caller may rate of this order, or why not. */
  async function ratedId(
    caller: OperationCaller,
    orderId: string,
    rated: Rated,
  ): Promise<{ readonly id: string } | { readonly code: ErrorCode }> {
    const order = await orders.order(orderId);
    if (order === null) return { code: "not_found" };
    const driverId = caller.role === "driver" || rated === "driver" ? await driverOf(order) : null;
    const isTheirs = caller.role === "driver" ? driverId === caller.id : order.customerId === caller.id;
    if (!isTheirs) return { code: "not_found" };
    if ((caller.role === "driver") !== (rated === "customer")) return { code: "forbidden" };
    if (order.view.status !== "delivered") return { code: "not_delivered" };
    const id = rated === "restaurant" ? order.restaurantId : rated === "customer" ? order.customerId : driverId;
    return id === null ? { code: "not_found" } : { id };
  }

  function driverOf(order: OrderTracking): Promise<string | null> {
    return order.driverId === null ? orders.driverOf(order.view.orderId) : Promise.resolve(order.driverId);
  }

  async function moderated(review: Review): Promise<ModeratedReview> {
    const [reports, decisions] = await Promise.all([
      store.reportsOf(review.reviewId, REASONS_SHOWN),
      store.decisionsOf(review.reviewId),
    ]);
    return {
      ...own(review),
      ratedId: review.ratedId,
      authorId: review.authorId,
      reports: review.reports,
      reasons: reports.map(({ role, reason, at }) => ({ role, reason, at })),
      decisions: decisions.map(({ action, role, principalId, reason, at }) => ({
        action,
        by: `${role}/${principalId}`,
        reason,
        at,
      })),
    };
  }

  async function decide(
    caller: OperationCaller,
    reviewId: string,
    action: Decision["action"],
    reason: string,
  ): Promise<OperationResult<ModeratedReview>> {
    const review = await store.decide(reviewId, {
      action,
      reason,
      role: caller.role === "admin" ? "admin" : "support",
      principalId: caller.id,
      at: clock.now(),
    });
    if (review === null) return { ok: false, code: "not_found" };
    say(review);
    return { ok: true, value: await moderated(review) };
  }

  /** Reviews of restaurants are for all; of others, the rated person knows only the average. */
  const maySee = (review: Review): boolean => review.rated === "restaurant" && !review.hidden;

  return {
    "ratings.rate": ({ caller, params, body }) =>
      answered(async () => {
        const whom = await ratedId(caller, params.orderId, body.rated);
        if ("code" in whom) return { ok: false, code: whom.code };
        const wanted: Review = {
          reviewId: uuidV7(clock.now(), random),
          orderId: params.orderId,
          rated: body.rated,
          ratedId: whom.id,
          authorRole: caller.role === "driver" ? "driver" : "customer",
          authorId: caller.id,
          stars: body.stars,
          text: body.text ?? "",
          at: clock.now(),
          hidden: false,
          reports: 0,
        };
        const review = await store.add(wanted);
        if (review.stars !== wanted.stars || review.text !== wanted.text) return { ok: false, code: "already_rated" };
        say(review);
        return { ok: true, value: own(review) };
      }),

    "ratings.ofOrder": ({ caller, params }) =>
      answered(async () => {
        const order = await orders.order(params.orderId);
        if (order === null) return { ok: false, code: "not_found" };
        const isStaff = caller.role === "support" || caller.role === "admin";
        if (!isStaff) {
          const owner = caller.role === "driver" ? await driverOf(order) : order.customerId;
          if (owner !== caller.id) return { ok: false, code: "not_found" };
        }
        const all = await store.ofOrder(params.orderId);
        const theirs = all.filter((each) => each.authorRole === caller.role && each.authorId === caller.id);
        return { ok: true, value: { reviews: (isStaff ? all : theirs).map(own) } };
      }),

    "ratings.ofRestaurant": ({ params, query }) =>
      answered(async () => {
        const before = query.cursor === undefined ? null : readCursor(query.cursor);
        if (query.cursor !== undefined && before === null) return { ok: false, code: "cursor_invalid" };
        const limit = query.limit ?? PAGE;
        const [found, totals] = await Promise.all([
          store.shown("restaurant", params.restaurantId, before, limit + 1),
          store.totals("restaurant", [params.restaurantId]),
        ]);
        const reviews = found.slice(0, limit);
        const last = reviews.at(-1);
        return {
          ok: true,
          value: {
            rating: totals[0]?.totals ?? NONE,
            reviews: reviews.map(shown),
            ...(found.length > limit && last !== undefined ? { next: writeCursor(last) } : {}),
          },
          cacheControl: "private, max-age=5",
        };
      }),

    "ratings.mine": ({ caller }) =>
      answered(async () => {
        const totals = await store.totals(caller.role as Rated, [caller.id]);
        return { ok: true, value: totals[0]?.totals ?? NONE };
      }),

    "ratings.report": ({ caller, params, body }) =>
      answered(async () => {
        const review = await store.find(params.reviewId);
        if (review === null || !maySee(review)) return { ok: false, code: "not_found" };
        await store.report(review.reviewId, {
          role: caller.role,
          reporterId: caller.id,
          reason: body.reason,
          at: clock.now(),
        });
        return { ok: true, value: { reviewId: review.reviewId, reported: true } };
      }),

    "ratings.reported": ({ query }) =>
      answered(async () => {
        const reviews = await store.reported(query.limit ?? PAGE);
        return { ok: true, value: { reviews: await Promise.all(reviews.map(moderated)) } };
      }),

    "ratings.look": ({ params }) =>
      answered(async () => {
        const review = await store.find(params.reviewId);
        return review === null ? { ok: false, code: "not_found" } : { ok: true, value: await moderated(review) };
      }),

    "ratings.hide": ({ caller, params, body }) => answered(() => decide(caller, params.reviewId, "hide", body.reason)),
    "ratings.show": ({ caller, params, body }) => answered(() => decide(caller, params.reviewId, "show", body.reason)),
  };
}

function shown({ reviewId, stars, text, at }: Review): PublicReview {
  return { reviewId, stars, text, at };
}

function own(review: Review): OwnReview {
  return { ...shown(review), orderId: review.orderId, rated: review.rated, hidden: review.hidden };
}

async function answered<Reply>(work: () => Promise<OperationResult<Reply>>): Promise<OperationResult<Reply>> {
  try {
    return await work();
  } catch {
    return { ok: false, code: "unavailable", retryAfterMs: 2_000 };
  }
}
