/** Ratings on PostgreSQL. Totals are kept by a trigger of the reviews' table: see migration 0010. */
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { Decision, RatingStore, Report, Review, TotalsOf } from "../../services/ratings/ports.js";
import { arrayParameter } from "./binary.js";
import { openConnections } from "./connection.js";
import type { Ask } from "./money.js";
import { ask, findable } from "./reads.js";
import { repeating } from "./repeat.js";

export interface PostgresRatings extends RatingStore {
  close(): Promise<void>;
}

const MAX_WAITING = 1_024;
const COLUMNS = `r.id AS "reviewId", r.order_id AS "orderId", r.rated, r.rated_id AS "ratedId", r.author_role AS "authorRole",
  r.author_id AS "authorId", r.stars, r.text, r.at, r.hidden, r.reports`;

type Row<T> = T & { readonly [column: string]: unknown };

/** The schema must be up to date (`migrate`). Connects when first used. */
export function createPostgresRatings(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresRatings {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats ratings",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "ratings" }),
  });
  const run: Ask = (name, sql, values) => repeating(connections, (client) => ask(client, name, sql, values));
  return { ...statements(run), close: () => connections.close() };
}

function statements(run: Ask): RatingStore {
  const reviews = (name: string, sql: string, values: unknown[]) => run<Row<Review>>(name, sql, values);
  const totals = async (name: string, sql: string, values: unknown[]): Promise<readonly TotalsOf[]> => {
    const rows = await run<{ ratedId: string; average: number; count: number }>(name, sql, values);
    return rows.map(({ ratedId, average, count }) => ({ ratedId, totals: { average, count } }));
  };
  return {
    async add({ reviewId, orderId, rated, ratedId, authorRole, authorId, stars, text, at }) {
      await run(
        "rating_add",
        `INSERT INTO review (id, order_id, rated, rated_id, author_role, author_id, stars, text, at)
           VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::int4, $8::text, $9::float8)
           ON CONFLICT (order_id, rated) DO NOTHING`,
        [reviewId, orderId, rated, ratedId, authorRole, authorId, stars, text, at],
      );
      const rows = await reviews(
        "rating_added",
        `SELECT ${COLUMNS} FROM review r WHERE r.order_id = $1::text AND r.rated = $2::text`,
        [orderId, rated],
      );
      return rows[0]!;
    },
    ofOrder: (orderId) =>
      reviews("rating_of_order", `SELECT ${COLUMNS} FROM review r WHERE r.order_id = $1::text ORDER BY r.at, r.id`, [
        findable(orderId),
      ]),
    async find(reviewId) {
      const sql = `SELECT ${COLUMNS} FROM review r WHERE r.id = $1::text`;
      return (await reviews("rating_find", sql, [findable(reviewId)]))[0] ?? null;
    },
    shown: (rated, ratedId, before, limit) =>
      reviews(
        "rating_shown",
        `SELECT ${COLUMNS} FROM review r WHERE r.rated = $1::text AND r.rated_id = $2::text AND NOT r.hidden
           AND (r.at, r.id) < ($3::float8, $4::text) ORDER BY r.at DESC, r.id DESC LIMIT $5::int4`,
        [rated, findable(ratedId), before?.at ?? Number.POSITIVE_INFINITY, before?.reviewId ?? "", limit],
      ),
    totals: (rated, ratedIds) =>
      totals(
        "rating_totals",
        `SELECT t.rated_id AS "ratedId", t.stars::float8 / t.count AS average, t.count FROM rating_total t
           WHERE t.rated = $1::text AND t.rated_id = ANY($2::text[]) AND t.count > 0`,
        [rated, arrayParameter("text", ratedIds.map(findable))],
      ),
    allTotals: (rated, afterId, limit) =>
      totals(
        "rating_all_totals",
        `SELECT t.rated_id AS "ratedId", t.stars::float8 / t.count AS average, t.count FROM rating_total t
           WHERE t.rated = $1::text AND t.rated_id > $2::text AND t.count > 0 ORDER BY t.rated_id LIMIT $3::int4`,
        [rated, afterId, limit],
      ),
    async report(reviewId, { role, reporterId, reason, at }) {
      await run(
        "rating_report",
        `WITH said AS (
           INSERT INTO review_report (review_id, role, reporter_id, reason, at)
             SELECT r.id, $2::text, $3::text, $4::text, $5::float8 FROM review r WHERE r.id = $1::text
             ON CONFLICT DO NOTHING RETURNING review_id)
         UPDATE review r SET reports = r.reports + 1 FROM said WHERE r.id = said.review_id`,
        [findable(reviewId), role, reporterId, reason, at],
      );
    },
    reported: (limit) =>
      reviews(
        "rating_reported",
        `SELECT ${COLUMNS} FROM review r WHERE r.reports > 0 ORDER BY r.reports DESC, r.id LIMIT $1::int4`,
        [limit],
      ),
    reportsOf: (reviewId, limit) =>
      run<Row<Report>>(
        "rating_reports_of",
        `SELECT p.role, p.reporter_id AS "reporterId", p.reason, p.at FROM review_report p
           WHERE p.review_id = $1::text ORDER BY p.at DESC, p.reporter_id LIMIT $2::int4`,
        [findable(reviewId), limit],
      ),
    decisionsOf: (reviewId) =>
      run<Row<Decision>>(
        "rating_decisions_of",
        `SELECT substr(e.action, length('review.') + 1) AS action, e.role, e.principal AS "principalId", e.reason, e.at
           FROM audit_entry e WHERE e.subject = 'review/' || $1::text AND e.action IN ('review.hide', 'review.show')
           ORDER BY e.id`,
        [findable(reviewId)],
      ),
    async decide(reviewId, { action, role, principalId, reason, at }) {
      // The same decision again, by a retry, is on record already and is not written twice.
      await run(
        "rating_decide",
        `WITH decided AS (
           UPDATE review r SET hidden = $2::text = 'hide', reports = 0 WHERE r.id = $1::text RETURNING r.id
         ), cleared AS (
           DELETE FROM review_report p USING decided d WHERE p.review_id = d.id
         )
         INSERT INTO audit_entry (at, role, principal, action, subject, reason)
           SELECT $6::float8, $3::text, $4::text, 'review.' || $2::text, 'review/' || d.id, $5::text FROM decided d
             WHERE NOT EXISTS (SELECT FROM (
               SELECT * FROM audit_entry l WHERE l.subject = 'review/' || d.id ORDER BY l.id DESC LIMIT 1) last
               WHERE last.action = 'review.' || $2::text AND last.principal = $4::text AND last.reason = $5::text)`,
        [findable(reviewId), action, role, principalId, reason, at],
      );
      const sql = `SELECT ${COLUMNS} FROM review r WHERE r.id = $1::text`;
      return (await reviews("rating_find", sql, [findable(reviewId)]))[0] ?? null;
    },
    writtenBy: (authorRole, authorId, limit) =>
      reviews(
        "rating_written_by",
        `SELECT ${COLUMNS} FROM review r WHERE r.author_role = $1::text AND r.author_id = $2::text
           ORDER BY r.at DESC, r.id DESC LIMIT $3::int`,
        [authorRole, findable(authorId), limit],
      ),
    async eraseAuthor(authorRole, authorId) {
      await run(
        "rating_erase",
        `WITH reported AS (
           UPDATE review_report SET reason = '' WHERE role = $1::text AND reporter_id = $2::text
         )
         UPDATE review SET text = '', author_id = '' WHERE author_role = $1::text AND author_id = $2::text`,
        [authorRole, findable(authorId)],
      );
    },
  };
}
