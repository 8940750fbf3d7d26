/** The promotions' statements. The two that count are functions of migration 0009. */
import type {
  PromotionRule,
  PromotionStore,
  ReserveOutcome,
  StoredPromotion,
} from "../../services/promotions/ports.js";
import type { Ask } from "./money.js";
import { findable } from "./reads.js";

interface Row {
  readonly [column: string]: unknown;
  readonly rule: PromotionRule;
  readonly revision: number;
  readonly used: number;
}

const stored = ({ rule, revision, used }: Row): StoredPromotion => ({ rule, revision, used });

export function postgresPromotions(ask: Ask): PromotionStore {
  return {
    async put(rule) {
      const rows = await ask<Row>(
        "promotion_put",
        `INSERT INTO promotion (code, revision, rule) VALUES ($1::text, 1, $2::text::json)
           ON CONFLICT (code) DO UPDATE SET rule = excluded.rule, revision = promotion.revision + 1
           RETURNING rule, revision, used`,
        [rule.code, JSON.stringify(rule)],
      );
      return stored(rows[0]!);
    },
    async read(code) {
      const rows = await ask<Row>(
        "promotion_read",
        "SELECT rule, revision, used FROM promotion WHERE code = $1::text",
        [findable(code)],
      );
      return rows[0] === undefined ? null : stored(rows[0]);
    },
    async usedBy(code, customerId) {
      const rows = await ask<{ used: number }>(
        "promotion_used_by",
        `SELECT count(*) AS used FROM promotion_use WHERE code = $1::text AND customer_id = $2::text AND state = 'held'`,
        [findable(code), findable(customerId)],
      );
      return rows[0]!.used;
    },
    async useOf(orderId) {
      const rows = await ask<{ state: "held" | "released" }>(
        "promotion_use_of",
        "SELECT state FROM promotion_use WHERE order_id = $1::text",
        [findable(orderId)],
      );
      return rows[0]?.state ?? null;
    },
    async reserve({ code, revision, totalLimit, customerLimit, orderId, customerId, discountMinor, at }) {
      const rows = await ask<{ outcome: ReserveOutcome }>(
        "promotion_reserve",
        `SELECT promotion_reserve_v1($1::text, $2::int8, $3::int8, $4::int8, $5::text, $6::text, $7::int8, $8::float8)
           AS outcome`,
        [findable(code), revision, totalLimit, customerLimit, orderId, customerId, discountMinor, at],
      );
      return rows[0]!.outcome;
    },
    async release(code, orderId, at) {
      await ask("promotion_release", "SELECT promotion_release_v1($1::text, $2::text, $3::float8)::text", [
        findable(code),
        orderId,
        at,
      ]);
    },
  };
}
