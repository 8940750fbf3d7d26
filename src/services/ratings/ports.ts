/** What ratings need. */
import type { OrderTracking, Rated, RatingTotals } from "../../protocol/mod.js";

export interface Review {
  readonly reviewId: string;
  readonly orderId: string;
  readonly rated: Rated;
  readonly ratedId: string;
  readonly authorRole: "customer" | "driver";
  /** Empty once its author has had everything erased. */
  readonly authorId: string;
  readonly stars: number;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly hidden: boolean;
  /** Since the last decision. */
  readonly reports: number;
}

export interface Report {
  readonly role: string;
  readonly reporterId: string;
  readonly reason: string;
  readonly at: number;
}

export interface Decision {
  readonly action: "hide" | "show";
  readonly role: "support" | "admin";
  readonly principalId: string;
  readonly reason: string;
  readonly at: number;
}

/** Where a page ended: reviews before this one follow. */
export interface ReviewCursor {
  readonly at: number;
  readonly reviewId: string;
}

export interface TotalsOf {
  readonly ratedId: string;
  readonly totals: RatingTotals;
}

/**
 * Reviews and what they come to. Totals are changed in the transaction that changes a review, so they never differ from
 * the shown reviews for longer than that. Rejects with StoreUnavailable; every call may be repeated.
 */
export interface RatingStore {
  /** One review for each order and whom it rates. Gives the one that stands: the new one, or the one before it. */
  add(review: Review): Promise<Review>;
  ofOrder(orderId: string): Promise<readonly Review[]>;
  find(reviewId: string): Promise<Review | null>;
  /** What one person wrote, newest first, hidden ones too. */
  writtenBy(authorRole: Review["authorRole"], authorId: string, limit: number): Promise<readonly Review[]>;
  /** Shown reviews, newest first. */
  shown(rated: Rated, ratedId: string, before: ReviewCursor | null, limit: number): Promise<readonly Review[]>;
  /** Those without reviews are missing. At most `MAX_TOTALS` ids. */
  totals(rated: Rated, ratedIds: readonly string[]): Promise<readonly TotalsOf[]>;
  /** Everybody's totals, by id, for whoever keeps them all. */
  allTotals(rated: Rated, afterId: string, limit: number): Promise<readonly TotalsOf[]>;
  /** Each reporter counts once for each decision. Nothing when there is no such review. */
  report(reviewId: string, report: Report): Promise<void>;
  /** Reported since the last decision, the most reported first. */
  reported(limit: number): Promise<readonly Review[]>;
  /** What was reported since the last decision, newest first; at most `limit`. */
  reportsOf(reviewId: string, limit: number): Promise<readonly Report[]>;
  decisionsOf(reviewId: string): Promise<readonly Decision[]>;
  /** Hides or shows, writes it into the audit in the same transaction (`review.hide` of `review/<id>`), and lays the reports to rest. Null when there is no such review. */
  decide(reviewId: string, decision: Decision): Promise<Review | null>;
  /** What one person wrote loses its text and its author, and their reports their reasons; the stars and the counts stay. */
  eraseAuthor(authorRole: Review["authorRole"], authorId: string): Promise<void>;
}

export const MAX_TOTALS = 1_000;

/** Whose rating changed: said to every node. Value: `RatingChanged`. */
export const RATING_CHANGED = "ratings.changed";
export interface RatingChanged {
  readonly rated: Rated;
  readonly ratedId: string;
}

/** What search and dispatch read. Whoever keeps ratings listens to `RATING_CHANGED` and reads again. */
export interface RatingReader {
  totals(rated: Rated, ratedIds: readonly string[]): Promise<ReadonlyMap<string, RatingTotals>>;
}

export interface OrderReader {
  /** Null when there is no such order. Rejects when nobody can say. */
  order(orderId: string): Promise<OrderTracking | null>;
  /** Who brought a delivered order. */
  driverOf(orderId: string): Promise<string | null>;
}

export interface NoticeSpeaker {
  publish(topic: string, value: { readonly rated: Rated; readonly ratedId: string }): Promise<void>;
}
