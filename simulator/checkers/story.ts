/** Tells what happened to one order, from everything that is known about it, oldest first. */
import type { EvidenceIndex } from "./evidence.js";
import type { DriverEntry } from "./history.js";

interface Line {
  readonly at: number;
  readonly text: string;
}

export type Chapter = "placement" | "views" | "positions" | "drivers" | "tablet" | "payment" | "stored";

const MAX_LINES = 16;

/** The chapters asked for; when there is too much, the middle is left out and counted. */
export function storyOfOrder(index: EvidenceIndex, orderId: string, chapters: readonly Chapter[]): string[] {
  const lines = chapters.flatMap((chapter) => tell(index, orderId, chapter)).sort((a, b) => a.at - b.at);
  return shorten(lines);
}

export function storyOfDriver(index: EvidenceIndex, driverId: string, fromAt: number, toAt: number): string[] {
  const entries = index.driversById.get(driverId)?.entries ?? [];
  return shorten(
    entries
      .filter((entry) => entry.receivedAt >= fromAt && entry.receivedAt <= toAt)
      .map((entry) => ({ at: entry.receivedAt, text: driverText(driverId, entry) })),
  );
}

function tell(index: EvidenceIndex, orderId: string, chapter: Chapter): Line[] {
  switch (chapter) {
    case "placement":
      return (index.placementsByOrder.get(orderId) ?? []).flatMap((placement) => [
        { at: placement.sentAt, text: `${placement.customerId} places it with key ${placement.idempotencyKey}` },
        ...placement.answers.map((answer) => ({
          at: answer.receivedAt,
          text: answer.ok
            ? `the node answers ${answer.orderId} ${answer.status}, version ${answer.version}, total ${answer.totals.totalMinor}`
            : `the node refuses: ${answer.code}`,
        })),
      ]);
    case "views":
      return (index.ordersById.get(orderId)?.sightings ?? []).map((sighting) => ({
        at: sighting.receivedAt,
        text: `${sighting.stream} (${sighting.via}) sees version ${sighting.version}: ${sighting.status} [${sighting.steps}]`,
      }));
    case "positions":
      return (index.ordersById.get(orderId)?.positions ?? []).map((position) => ({
        at: position.receivedAt,
        text: `${position.stream} (${position.via}) sees ${position.lat},${position.lng} measured ${stamp(position.measuredAt)}`,
      }));
    case "drivers":
      return (index.driversByOrder.get(orderId) ?? []).map(({ driverId, entry }) => ({
        at: entry.receivedAt,
        text: driverText(driverId, entry),
      }));
    case "tablet":
      return (index.tabletsByOrder.get(orderId) ?? []).map(({ restaurantId, receivedAt, attempt }) => ({
        at: receivedAt,
        text: `the tablet of ${restaurantId} shows it (attempt ${attempt})`,
      }));
    case "payment":
      return (index.bookingsByOrder.get(orderId) ?? []).map((booking) => ({
        at: booking.at,
        text: `the provider books ${booking.kind} ${booking.amountMinor} (${booking.payment})`,
      }));
    case "stored": {
      const stored = index.database?.orders.get(orderId);
      if (index.database === null) return [];
      if (stored === undefined) return [{ at: Number.POSITIVE_INFINITY, text: "the database has no such order" }];
      const text = `the database holds version ${stored.version}: ${stored.status}, driver ${stored.driverId ?? "none"}`;
      return [
        ...stored.timeline.map((entry) => ({ at: entry.at, text: `stored: ${entry.kind} by ${entry.by}` })),
        { at: Number.POSITIVE_INFINITY, text },
      ];
    }
  }
}

function driverText(driverId: string, entry: DriverEntry): string {
  switch (entry.kind) {
    case "offer":
      return `${driverId} is offered ${entry.orderId} (offer ${entry.offerId}, until ${stamp(entry.expiresAt)})`;
    case "closed":
      return `${driverId}: offer ${entry.offerId} is ${entry.outcome}`;
    case "trip":
      return entry.tripId === null
        ? `${driverId} has no trip`
        : `${driverId} has trip ${entry.tripId} with ${entry.orderIds.join(", ") || "nothing left"}`;
    case "did":
      return `${driverId} ${entry.command} ${entry.subject}: ${entry.answer}`;
  }
}

function shorten(lines: readonly Line[]): string[] {
  const told = lines.map(({ at, text }) => (Number.isFinite(at) ? `${stamp(at)} ${text}` : text));
  if (told.length <= MAX_LINES) return told;
  const head = told.slice(0, MAX_LINES / 2);
  return [...head, `… ${told.length - MAX_LINES} more …`, ...told.slice(-MAX_LINES / 2)];
}

function stamp(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(11, 23) : String(at);
}
