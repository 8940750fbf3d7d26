/** All operations, one table an area. A new area adds its table here, and its service in `src/node`. */
import { ACCOUNT_OPERATIONS } from "./accounts.js";
import { ANNOUNCEMENT_OPERATIONS } from "./announcements.js";
import { AUDIT_OPERATIONS } from "./audit.js";
import { CATALOG_OPERATIONS } from "./catalog.js";
import { CHAT_OPERATIONS } from "./chat.js";
import { CITY_OPERATIONS } from "./city.js";
import { DEAD_LETTER_OPERATIONS } from "./dead-letters.js";
import { DEVICE_OPERATIONS } from "./devices.js";
import { LEDGER_OPERATIONS, PAYMENT_OPERATIONS, PRICE_OPERATIONS, PROMOTION_OPERATIONS } from "./money.js";
import { KITCHEN_OPERATIONS, NOTIFICATION_OPERATIONS } from "./notifications.js";
import type { Operation } from "./operation.js";
import { QUOTE_OPERATIONS } from "./quotes.js";
import { RATING_OPERATIONS } from "./ratings.js";
import { SEARCH_OPERATIONS } from "./search.js";

export * from "./accounts.js";
export * from "./announcements.js";
export * from "./audit.js";
export * from "./catalog.js";
export * from "./chat.js";
export * from "./city.js";
export * from "./dead-letters.js";
export * from "./devices.js";
export * from "./money.js";
export * from "./notifications.js";
export * from "./operation.js";
export * from "./quotes.js";
export * from "./ratings.js";
export * from "./search.js";

/** By name: `area.verb`. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...ACCOUNT_OPERATIONS,
  ...AUDIT_OPERATIONS,
  ...CATALOG_OPERATIONS,
  ...CHAT_OPERATIONS,
  ...CITY_OPERATIONS,
  ...LEDGER_OPERATIONS,
  ...PAYMENT_OPERATIONS,
  ...PRICE_OPERATIONS,
  ...PROMOTION_OPERATIONS,
  ...ANNOUNCEMENT_OPERATIONS,
  ...DEAD_LETTER_OPERATIONS,
  ...DEVICE_OPERATIONS,
  ...QUOTE_OPERATIONS,
  ...NOTIFICATION_OPERATIONS,
  ...KITCHEN_OPERATIONS,
  ...RATING_OPERATIONS,
  ...SEARCH_OPERATIONS,
};

/** Handlers by the names of `OPERATIONS`, of any area: `OperationHandlers` of its table fits. */
export type AnyOperationHandlers = Readonly<Record<string, (call: never) => unknown>>;
