import * as engineTables from "./0001-engine-tables.js";
import * as flushFunction from "./0002-flush-function.js";
import * as cluster from "./0003-cluster.js";
import * as eventOutbox from "./0004-event-outbox.js";
import * as acquaintance from "./0005-acquaintance.js";
import * as accounts from "./0006-accounts.js";
import * as search from "./0008-search.js";
import * as money from "./0009-money.js";
import * as ratings from "./0010-ratings.js";
import * as devices from "./0012-devices.js";
import * as announcements from "./0013-announcements.js";
import * as notifications from "./0015-notifications.js";
import * as marketplace from "./0020-marketplace.js";
import * as auditOnce from "./0021-audit-once.js";
import * as unheard from "./0024-unheard.js";
import * as reachedAndRetried from "./0026-reached-and-retried.js";
import * as attemptsInTurn from "./0027-attempts-in-turn.js";
import * as flushFew from "./0028-flush-few.js";
import * as balanceOfWhatIsAdded from "./0029-balance-of-what-is-added.js";
import * as oneHolderOfAToken from "./0030-one-holder-of-a-token.js";
import * as lettersDrivenAgain from "./0031-letters-driven-again.js";
import * as devicesOfSessions from "./0032-devices-of-sessions.js";
import * as deliveriesWithoutPay from "./0034-deliveries-without-pay.js";
import * as openOrdersOfAKitchen from "./0041-open-orders-of-a-kitchen.js";

/** Every migration, oldest first. A released one never changes: what is wrong is put right by the next. */
export const MIGRATIONS = [
  { name: "0001-engine-tables", ...engineTables },
  { name: "0002-flush-function", ...flushFunction },
  { name: "0003-cluster", ...cluster },
  { name: "0004-event-outbox", ...eventOutbox },
  { name: "0005-acquaintance", ...acquaintance },
  { name: "0006-accounts", ...accounts },
  { name: "0008-search", ...search },
  { name: "0009-money", ...money },
  { name: "0010-ratings", ...ratings },
  { name: "0012-devices", ...devices },
  { name: "0013-announcements", ...announcements },
  { name: "0015-notifications", ...notifications },
  { name: "0020-marketplace", ...marketplace },
  { name: "0021-audit-once", ...auditOnce },
  { name: "0024-unheard", ...unheard },
  { name: "0026-reached-and-retried", ...reachedAndRetried },
  { name: "0027-attempts-in-turn", ...attemptsInTurn },
  { name: "0028-flush-few", ...flushFew },
  { name: "0029-balance-of-what-is-added", ...balanceOfWhatIsAdded },
  { name: "0030-one-holder-of-a-token", ...oneHolderOfAToken },
  { name: "0031-letters-driven-again", ...lettersDrivenAgain },
  { name: "0032-devices-of-sessions", ...devicesOfSessions },
  { name: "0034-deliveries-without-pay", ...deliveriesWithoutPay },
  { name: "0041-open-orders-of-a-kitchen", ...openOrdersOfAKitchen },
] as const;
