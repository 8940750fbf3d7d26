/** Money by HTTP: what an order would cost, saved payment methods, promotions, the books, the provider's word. */
import { OrderLine, PlaceOrder, PromotionCode } from "../orders.js";
import { Count, Currency, Id, Millis, Minor, MOST_MINOR, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

/** May be negative: what is owed the other way. */
const Signed = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
/** Milliseconds since the epoch, as events carry them. */
const Instant = Type.Number({ minimum: 0, maximum: 8_640_000_000_000 });
const Sum = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });

export const OrderTotalsView = Strict({
  currency: Currency,
  itemsMinor: Sum,
  feeMinor: Sum,
  taxMinor: Sum,
  tipMinor: Sum,
  discountMinor: Sum,
  totalMinor: Sum,
});

export const PriceRequest = Strict({
  restaurantId: Id,
  lines: Type.Array(OrderLine, { minItems: 1, maxItems: 50 }),
  destination: PlaceOrder.properties.destination,
  currency: Currency,
  tipMinor: Type.Optional(Minor),
  promotionCode: Type.Optional(PromotionCode),
  /** Wanted then: the restaurant has to be open then. */
  deliverAt: Type.Optional(Millis),
});

/** total = items + fee + tax + tip − discount. The fee is for delivery and service. */
export const PriceReply = Strict({
  totals: OrderTotalsView,
  deliveryFeeMinor: Sum,
  serviceFeeMinor: Sum,
  menuVersion: Count(Number.MAX_SAFE_INTEGER),
});
export type PriceReply = Static<typeof PriceReply>;

export const PRICE_OPERATIONS = operations({
  "orders.price": {
    method: "POST",
    path: "/v1/orders/price",
    summary: "What an order would cost, by the calculation that placing uses. Changes nothing.",
    access: ["customer"],
    tier: "browse",
    keyed: false,
    body: PriceRequest,
    reply: PriceReply,
    refusals: [
      "restaurant_unknown",
      "restaurant_closed",
      "out_of_area",
      "item_unavailable",
      "price_changed",
      "promotion_refused",
      "unavailable",
    ],
  },
});

export const PaymentMethodView = Strict({ methodId: Id, label: Text(60), at: Millis });
export type PaymentMethodView = Static<typeof PaymentMethodView>;

export const PAYMENT_OPERATIONS = operations({
  "payments.methods": {
    method: "GET",
    path: "/v1/payment-methods",
    summary: "The caller's saved payment methods, oldest first.",
    access: ["customer"],
    tier: "browse",
    reply: Strict({ methods: Type.Array(PaymentMethodView, { maxItems: 20 }) }),
    refusals: ["unavailable"],
  },
  "payments.saveMethod": {
    method: "POST",
    path: "/v1/payment-methods",
    summary: "Saves a payment method by the token that the provider's own form gave the app. Never a card number.",
    access: ["customer"],
    tier: "command",
    body: Strict({
      token: Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_.:-]+$" }),
      label: Text(60),
    }),
    reply: PaymentMethodView,
    refusals: ["too_many_methods", "unavailable"],
  },
  "payments.removeMethod": {
    method: "DELETE",
    path: "/v1/payment-methods/:methodId",
    summary: "Forgets a saved payment method. Orders under way keep what is authorised.",
    access: ["customer"],
    tier: "command",
    params: Strict({ methodId: Id }),
    reply: Strict({ removed: Type.Boolean() }),
    refusals: ["unavailable"],
  },
  "payments.webhook": {
    method: "POST",
    path: "/v1/payments/webhooks",
    summary: "The payment provider tells what happened to an order's money. Signed over time and body.",
    access: "anyone",
    tier: "none",
    signed: true,
    keyed: false,
    body: Strict({
      id: Type.String({ minLength: 1, maxLength: 100 }),
      at: Millis,
      orderId: Id,
      /** The key the operation was asked for with: `<order>:<step>:<n>`. */
      key: Type.String({ minLength: 1, maxLength: 200 }),
      outcome: Type.Union(
        (["authorised", "declined", "captured", "voided", "refunded"] as const).map((name) => Type.Literal(name)),
      ),
      amountMinor: Type.Optional(Minor),
      authorisation: Type.Optional(Text(100)),
      reason: Type.Optional(Text(100)),
    }),
    reply: Strict({ received: Type.Boolean() }),
    refusals: ["signature_invalid", "unavailable"],
  },
});

const Discount = Type.Union([
  Strict({
    kind: Type.Literal("percent"),
    perMille: Type.Integer({ minimum: 1, maximum: 1000 }),
    /** Null: no bound but the items. */
    mostMinor: Type.Union([Minor, Type.Null()]),
  }),
  Strict({ kind: Type.Literal("fixed"), amountMinor: Type.Integer({ minimum: 1, maximum: MOST_MINOR }) }),
]);
const Limit = Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()]);

export const PromotionBody = Strict({
  discount: Discount,
  currency: Currency,
  minimumMinor: Minor,
  from: Millis,
  until: Millis,
  totalLimit: Limit,
  customerLimit: Limit,
  /** Null: every restaurant. */
  restaurantId: Type.Union([Id, Type.Null()]),
  active: Type.Boolean(),
});
export const PromotionView = Strict({
  ...PromotionBody.properties,
  code: PromotionCode,
  used: Count(Number.MAX_SAFE_INTEGER),
});
export type PromotionView = Static<typeof PromotionView>;

export const PROMOTION_OPERATIONS = operations({
  "promotions.put": {
    method: "PUT",
    path: "/v1/promotions/:code",
    summary: "Writes a promotion. Orders that hold a use keep it; a lower limit refuses new ones only.",
    access: ["admin"],
    tier: "command",
    params: Strict({ code: PromotionCode }),
    body: PromotionBody,
    reply: PromotionView,
    refusals: ["unavailable"],
  },
  "promotions.read": {
    method: "GET",
    path: "/v1/promotions/:code",
    summary: "A promotion and how many uses of it are held.",
    access: ["support", "admin"],
    tier: "browse",
    params: Strict({ code: PromotionCode }),
    reply: PromotionView,
    refusals: ["not_found", "unavailable"],
  },
});

const PeriodQuery = { from: Type.Optional(Millis), to: Type.Optional(Millis) };
const Lines = Type.Optional(Type.Integer({ minimum: 1, maximum: 500 }));

export const DriverEarnings = Strict({
  from: Millis,
  to: Millis,
  totals: Type.Array(
    Strict({ currency: Currency, deliveries: Count(1_000_000_000), payMinor: Sum, tipMinor: Sum, totalMinor: Sum }),
    { maxItems: 200 },
  ),
  /** Newest first. */
  deliveries: Type.Array(
    Strict({ orderId: Id, at: Instant, currency: Currency, payMinor: Sum, tipMinor: Sum, totalMinor: Sum }),
    { maxItems: 500 },
  ),
});
export type DriverEarnings = Static<typeof DriverEarnings>;

const StatementSums = {
  currency: Currency,
  itemsMinor: Sum,
  taxMinor: Sum,
  commissionMinor: Sum,
  refundsMinor: Sum,
  /** items + tax − commission − refunds. */
  payoutMinor: Signed,
};
export const RestaurantStatement = Strict({
  restaurantId: Id,
  from: Millis,
  to: Millis,
  totals: Type.Array(Strict({ ...StatementSums, orders: Count(1_000_000_000) }), { maxItems: 200 }),
  /** Newest first. */
  lines: Type.Array(
    Strict({
      ...StatementSums,
      orderId: Id,
      at: Instant,
      kind: Type.Union([Type.Literal("order"), Type.Literal("refund")]),
      note: Type.Optional(Text(300)),
    }),
    { maxItems: 500 },
  ),
});
export type RestaurantStatement = Static<typeof RestaurantStatement>;

export const ReconciliationDifference = Strict({
  key: Text(200),
  orderId: Text(64),
  kind: Type.Union([Type.Literal("capture"), Type.Literal("refund")]),
  currency: Currency,
  at: Instant,
  problem: Type.Union([Type.Literal("missing_here"), Type.Literal("missing_there"), Type.Literal("amount")]),
  oursMinor: Signed,
  theirsMinor: Signed,
});
export type ReconciliationDifference = Static<typeof ReconciliationDifference>;

export const Reconciliation = Strict({
  from: Millis,
  to: Millis,
  /** Movements that both sides have, with the same amount. */
  matched: Count(Number.MAX_SAFE_INTEGER),
  /** So recent that the other side may still hear of them. */
  inTransit: Count(Number.MAX_SAFE_INTEGER),
  differences: Type.Array(ReconciliationDifference, { maxItems: 200 }),
  /** Not booked yet, and those that cannot be. */
  waitingFacts: Count(1_000_000),
  refusedFacts: Count(1_000_000),
  currencies: Type.Array(
    Strict({
      currency: Text(3),
      oursMinor: Signed,
      theirsMinor: Signed,
      /** Authorised at the provider, neither captured nor voided: orders under way. */
      heldMinor: Signed,
      heldCount: Count(1_000_000_000),
      /** Of all accounts; zero, or the books are wrong. */
      sumMinor: Signed,
      accounts: Type.Array(Strict({ account: Text(40), amountMinor: Signed }), { maxItems: 50 }),
    }),
    { maxItems: 200 },
  ),
  agrees: Type.Boolean(),
});
export type Reconciliation = Static<typeof Reconciliation>;

export const LEDGER_OPERATIONS = operations({
  "ledger.earnings": {
    method: "GET",
    path: "/v1/drivers/me/earnings",
    summary: "What the caller has earned, by delivery: pay and tips. Usually of the last seven days.",
    access: ["driver"],
    tier: "browse",
    query: Strict({ ...PeriodQuery, limit: Lines }),
    reply: DriverEarnings,
    refusals: ["unavailable"],
  },
  "ledger.statement": {
    method: "GET",
    path: "/v1/restaurants/me/statement",
    summary: "The caller's statement: items, tax, commission, refunds, payout. Usually of the last 31 days.",
    access: ["restaurant"],
    tier: "browse",
    query: Strict({ ...PeriodQuery, limit: Lines }),
    reply: RestaurantStatement,
    refusals: ["unavailable"],
  },
  "ledger.statementOf": {
    method: "GET",
    path: "/v1/ledger/restaurants/:restaurantId/statement",
    summary: "A restaurant's statement, for support and operations.",
    access: ["support", "admin"],
    tier: "browse",
    params: Strict({ restaurantId: Id }),
    query: Strict({ ...PeriodQuery, limit: Lines }),
    reply: RestaurantStatement,
    refusals: ["unavailable"],
  },
  "ledger.reconciliation": {
    method: "GET",
    path: "/v1/ledger/reconciliation",
    summary: "Our books against the provider's, movement by movement, to the cent. Usually of the last day.",
    access: ["support", "admin"],
    tier: "browse",
    query: Strict({ ...PeriodQuery }),
    reply: Reconciliation,
    refusals: ["unavailable"],
  },
});
