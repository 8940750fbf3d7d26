/** Ratings in memory. */
import type { Rated } from "../../protocol/mod.js";
import type { Decision, RatingStore, Report, Review, ReviewCursor, TotalsOf } from "../../services/ratings/ports.js";

export function createMemoryRatings(): RatingStore {
  const reviews = new Map<string, Review>();
  const reports = new Map<string, readonly Report[]>();
  const decisions = new Map<string, readonly Decision[]>();

  const newestFirst = (a: ReviewCursor, b: ReviewCursor): number =>
    b.at - a.at || (a.reviewId < b.reviewId ? 1 : a.reviewId > b.reviewId ? -1 : 0);
  const all = (): Review[] => [...reviews.values()];

  function totalsOf(rated: Rated, keep: (ratedId: string) => boolean): TotalsOf[] {
    const sums = new Map<string, { stars: number; count: number }>();
    for (const review of all()) {
      if (review.rated !== rated || review.hidden || !keep(review.ratedId)) continue;
      const sum = sums.get(review.ratedId) ?? { stars: 0, count: 0 };
      sums.set(review.ratedId, { stars: sum.stars + review.stars, count: sum.count + 1 });
    }
    return [...sums]
      .map(([ratedId, { stars, count }]) => ({ ratedId, totals: { average: stars / count, count } }))
      .sort((a, b) => (a.ratedId < b.ratedId ? -1 : 1));
  }

  return {
    async add(review) {
      const before = all().find((each) => each.orderId === review.orderId && each.rated === review.rated);
      if (before !== undefined) return before;
      const added = { ...review, hidden: false, reports: 0 };
      reviews.set(review.reviewId, added);
      return added;
    },
    ofOrder: async (orderId) =>
      all()
        .filter((each) => each.orderId === orderId)
        .sort((a, b) => newestFirst(b, a)),
    find: async (reviewId) => reviews.get(reviewId) ?? null,
    writtenBy: async (authorRole, authorId, limit) =>
      all()
        .filter((each) => each.authorRole === authorRole && each.authorId === authorId)
        .sort(newestFirst)
        .slice(0, limit),
    shown: async (rated, ratedId, before, limit) =>
      all()
        .filter((each) => each.rated === rated && each.ratedId === ratedId && !each.hidden)
        .filter((each) => before === null || newestFirst(before, each) < 0)
        .sort(newestFirst)
        .slice(0, limit),
    totals: async (rated, ratedIds) => totalsOf(rated, (ratedId) => ratedIds.includes(ratedId)),
    allTotals: async (rated, afterId, limit) => totalsOf(rated, (ratedId) => ratedId > afterId).slice(0, limit),
    async report(reviewId, report) {
      const review = reviews.get(reviewId);
      const before = reports.get(reviewId) ?? [];
      const again = before.some((each) => each.role === report.role && each.reporterId === report.reporterId);
      if (review === undefined || again) return;
      reports.set(reviewId, [...before, report]);
      reviews.set(reviewId, { ...review, reports: review.reports + 1 });
    },
    reported: async (limit) =>
      all()
        .filter((each) => each.reports > 0)
        .sort((a, b) => b.reports - a.reports || (a.reviewId < b.reviewId ? -1 : 1))
        .slice(0, limit),
    reportsOf: async (reviewId, limit) =>
      [...(reports.get(reviewId) ?? [])]
        .sort((a, b) => b.at - a.at || (a.reporterId < b.reporterId ? -1 : 1))
        .slice(0, limit),
    decisionsOf: async (reviewId) => decisions.get(reviewId) ?? [],
    async decide(reviewId, decision) {
      const review = reviews.get(reviewId);
      if (review === undefined) return null;
      const decided = { ...review, hidden: decision.action === "hide", reports: 0 };
      reviews.set(reviewId, decided);
      reports.delete(reviewId);
      const before = decisions.get(reviewId) ?? [];
      const last = before.at(-1);
      const { action, principalId, reason } = decision;
      const again =
        last !== undefined && last.action === action && last.principalId === principalId && last.reason === reason;
      if (!again) decisions.set(reviewId, [...before, decision]);
      return decided;
    },
    async eraseAuthor(authorRole, authorId) {
      for (const review of all()) {
        if (review.authorRole === authorRole && review.authorId === authorId) {
          reviews.set(review.reviewId, { ...review, text: "", authorId: "" });
        }
      }
      for (const [reviewId, all] of reports) {
        const isTheirs = ({ role, reporterId }: Report): boolean => role === authorRole && reporterId === authorId;
        reports.set(
          reviewId,
          all.map((each) => (isTheirs(each) ? { ...each, reason: "" } : each)),
        );
      }
    },
  };
}
