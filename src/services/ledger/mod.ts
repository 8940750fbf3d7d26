/** The ledger: facts of money become bookings, bookings become reports. */

export { bookingOf, FactRefused } from "./bookings.js";
export { type Bookkeeper, type BookkeeperSettings, createBookkeeper } from "./bookkeeper.js";
export { createDeliveries, type Deliveries } from "./deliveries.js";
export { ledgerOperations } from "./operations.js";
export type { Booking, Entry, LedgerStore, Period } from "./ports.js";
export { createLedgerReports, type LedgerReports } from "./reports.js";
