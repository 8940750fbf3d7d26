/** What people think of a meal, its way, and each other. */
import { Count, Id, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

export const RATED = ["restaurant", "driver", "customer"] as const;
export type Rated = (typeof RATED)[number];
const RatedName = Type.Enum(RATED);

const Stars = Type.Integer({ minimum: 1, maximum: 5 });

/** Of shown reviews. `average` is 0 while there are none. */
export const RatingTotals = Strict({ average: Type.Number({ minimum: 0, maximum: 5 }), count: Count(1_000_000_000) });
export type RatingTotals = Static<typeof RatingTotals>;

/**
 * For ranking: an average that few reviews move little. With `weight` reviews it lies in the middle between what is
 * usual and what was said (a Bayesian average with a fixed prior).
 */
export function rankedAverage({ average, count }: RatingTotals, usual = 4, weight = 10): number {
  return (usual * weight + average * count) / (weight + count);
}

/** A review as anyone may read it: without who wrote it and for which order. */
export const PublicReview = Strict({ reviewId: Id, stars: Stars, text: Type.String(), at: Millis });
/** A review as those see it whom it concerns. */
export const OwnReview = Strict({ ...PublicReview.properties, orderId: Id, rated: RatedName, hidden: Type.Boolean() });
export const ModeratedReview = Strict({
  ...OwnReview.properties,
  ratedId: Id,
  authorId: Type.String(),
  reports: Count(1_000_000),
  /** What was reported, newest first. */
  reasons: Type.Array(Strict({ role: Type.String(), reason: Type.String(), at: Millis })),
  /** What support did and why, oldest first. */
  decisions: Type.Array(
    Strict({ action: Type.Enum(["hide", "show"]), by: Type.String(), reason: Type.String(), at: Millis }),
  ),
});
export type PublicReview = Static<typeof PublicReview>;
export type OwnReview = Static<typeof OwnReview>;
export type ModeratedReview = Static<typeof ModeratedReview>;

const Page = { cursor: Type.Optional(Text(120)), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) };
const Reason = Strict({
  reason: Type.String({ minLength: 1, maxLength: 300, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
});
const OneReview = Strict({ reviewId: Id });
const staff = ["support", "admin"] as const;

export const RATING_OPERATIONS = operations({
  "ratings.rate": {
    method: "POST",
    path: "/v1/orders/:orderId/reviews",
    summary:
      "Rate what was delivered, once each: the customer the restaurant and the driver, the driver the customer. " +
      "Saying the same again is harmless.",
    access: ["customer", "driver"],
    tier: "command",
    params: Strict({ orderId: Id }),
    body: Strict({ rated: RatedName, stars: Stars, text: Type.Optional(Text(1_000)) }),
    reply: OwnReview,
    refusals: ["not_found", "forbidden", "not_delivered", "already_rated", "unavailable"],
  },
  "ratings.ofOrder": {
    method: "GET",
    path: "/v1/orders/:orderId/reviews",
    summary: "What the caller has said about an order; support sees all that was said.",
    access: ["customer", "driver", ...staff],
    tier: "browse",
    params: Strict({ orderId: Id }),
    reply: Strict({ reviews: Type.Array(OwnReview) }),
    refusals: ["not_found", "unavailable"],
  },
  "ratings.ofRestaurant": {
    method: "GET",
    path: "/v1/restaurants/:restaurantId/reviews",
    summary: "What customers say about a restaurant, newest first, with the average and the count.",
    access: "anyone",
    tier: "browse",
    params: Strict({ restaurantId: Id }),
    query: Strict(Page),
    reply: Strict({ rating: RatingTotals, reviews: Type.Array(PublicReview), next: Type.Optional(Type.String()) }),
    refusals: ["cursor_invalid", "unavailable"],
  },
  "ratings.mine": {
    method: "GET",
    path: "/v1/me/rating",
    summary: "How the caller is rated. Of single reviews only a restaurant sees what was said.",
    access: ["customer", "driver", "restaurant"],
    tier: "browse",
    reply: RatingTotals,
    refusals: ["unavailable"],
  },
  "ratings.report": {
    method: "POST",
    path: "/v1/reviews/:reviewId/report",
    summary: "Ask support to look at a review. Counted once for each who reports.",
    access: ["customer", "driver", "restaurant"],
    tier: "command",
    params: OneReview,
    body: Reason,
    reply: Strict({ reviewId: Id, reported: Type.Literal(true) }),
    refusals: ["not_found", "unavailable"],
  },
  "ratings.reported": {
    method: "GET",
    path: "/v1/admin/reviews",
    summary: "Reviews that were reported and not yet decided, the most reported first.",
    access: staff,
    tier: "browse",
    query: Strict({ limit: Page.limit }),
    reply: Strict({ reviews: Type.Array(ModeratedReview) }),
    refusals: ["unavailable"],
  },
  "ratings.look": {
    method: "GET",
    path: "/v1/admin/reviews/:reviewId",
    summary: "One review with what was reported and decided.",
    access: staff,
    tier: "browse",
    params: OneReview,
    reply: ModeratedReview,
    refusals: ["not_found", "unavailable"],
  },
  "ratings.hide": {
    method: "POST",
    path: "/v1/admin/reviews/:reviewId/hide",
    summary: "Hide a review, with a reason that stays on record. It no longer counts.",
    access: staff,
    tier: "command",
    params: OneReview,
    body: Reason,
    reply: ModeratedReview,
    refusals: ["not_found", "unavailable"],
  },
  "ratings.show": {
    method: "POST",
    path: "/v1/admin/reviews/:reviewId/show",
    summary: "Show a review again, or leave it shown and lay its reports to rest.",
    access: staff,
    tier: "command",
    params: OneReview,
    body: Reason,
    reply: ModeratedReview,
    refusals: ["not_found", "unavailable"],
  },
});
