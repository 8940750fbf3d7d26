/**
 * Reads the truth after a run: the database through the auditor's door, and the payment sandbox's ledger. This is the
 * one file that knows how stored actors look; rules get plain data.
 */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { OrderTracking } from "../../src/protocol/mod.js";
import { type LedgerEntry, readSandboxLedger } from "../../src/services/payments/mod.js";
import { openAudit } from "../../src/store/postgres/mod.js";
import type { Booking, Database, StoredOrder } from "../checkers/mod.js";

type Audit = Awaited<ReturnType<typeof openAudit>>;

/** Where a node without a database of its own keeps its server's socket; null when there is none. */
export function embeddedDatabaseUrl(dataDir: string): string | null {
  if (!existsSync(dataDir)) return null;
  const socketDir = join(realpathSync(dataDir), "postgres", "run");
  if (!existsSync(socketDir)) return null;
  return `postgresql:///swift_eats?host=${encodeURIComponent(socketDir)}&user=postgres`;
}

/** Orders whose customer is one of `mine`, and everything that hangs on them. */
export async function readDatabase(connectionString: string, mine: (id: string) => boolean): Promise<Database> {
  const audit = await openAudit(connectionString);
  try {
    return await databaseOf(audit, mine);
  } finally {
    await audit.close();
  }
}

/** The same of whatever store has the auditor's door. */
export async function databaseOf(
  audit: Pick<Audit, "indexRows" | "snapshots">,
  mine: (id: string) => boolean,
): Promise<Database> {
  const orders = new Map<string, StoredOrder>();
  for await (const row of audit.indexRows("order")) {
    const tracking = row.view as unknown as OrderTracking;
    if (!mine(tracking.customerId)) continue;
    const { view } = tracking;
    orders.set(row.key, {
      orderId: row.key,
      customerId: tracking.customerId,
      restaurantId: tracking.restaurantId,
      driverId: tracking.driverId,
      status: view.status,
      version: view.version,
      lines: view.lines.map(({ itemId, quantity, unitPriceMinor }) => ({ itemId, quantity, unitPriceMinor })),
      totals: view.totals,
      timeline: view.timeline,
    });
  }
  const trips: { driverId: string; tripId: string; orderIds: string[] }[] = [];
  for await (const { key, state } of audit.snapshots("driver")) {
    if (!mine(key)) continue;
    const { work } = state as { work?: { trip?: { tripId: string; legs: readonly { orderId: string }[] } } };
    if (work?.trip === undefined) continue;
    trips.push({ driverId: key, tripId: work.trip.tripId, orderIds: work.trip.legs.map((leg) => leg.orderId) });
  }
  const stockLeft = new Map<string, number>();
  for await (const { key, state } of audit.snapshots("restaurant")) {
    if (!mine(key)) continue;
    const { left } = state as { left?: Readonly<Record<string, number>> };
    for (const [itemId, count] of Object.entries(left ?? {})) stockLeft.set(`${key}/${itemId}`, count);
  }
  return { orders, trips, stockLeft };
}

/** The sandbox's ledger in a data directory, or null when the node uses another provider. */
export function sandboxLedgerFile(dataDir: string): string | null {
  const file = join(dataDir, "payment-sandbox.jsonl");
  return existsSync(file) ? file : null;
}

export async function readBookings(
  ledgerFile: string,
  mine: (orderId: string) => boolean,
): Promise<readonly Booking[]> {
  return bookingsOf(await readSandboxLedger(ledgerFile)).filter((booking) => mine(booking.orderId));
}

export function bookingsOf(entries: readonly LedgerEntry[]): readonly Booking[] {
  return entries.flatMap(bookingOf);
}

function bookingOf({ operation, outcome, at }: LedgerEntry): Booking[] {
  const { orderId } = operation;
  switch (outcome.outcome) {
    case "authorised":
      return operation.op === "authorise"
        ? [{ orderId, kind: "authorised", payment: operation.key, amountMinor: operation.amountMinor, at }]
        : [];
    case "captured":
    case "refunded":
      return operation.op === "capture" || operation.op === "refund"
        ? [{ orderId, kind: outcome.outcome, payment: operation.authoriseKey, amountMinor: operation.amountMinor, at }]
        : [];
    case "voided":
      return operation.op === "void"
        ? [{ orderId, kind: "voided", payment: operation.authoriseKey, amountMinor: 0, at }]
        : [];
    default:
      return [];
  }
}
