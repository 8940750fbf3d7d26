/** Rules about an order's content and its status: 1, 2, 3, 4, 10, 14, 15. */
import { isTerminal, NEXT_STATUS, ORDER_STATUSES, type OrderStatus } from "../../../src/protocol/mod.js";
import {
  acknowledgement,
  clockSkewMs,
  type EvidenceIndex,
  noticeMs,
  type Rule,
  settledUntil,
  type Violation,
} from "../evidence.js";
import { type PlacementAnswer, statusPath, stepLetters } from "../history.js";
import { storyOfOrder } from "../story.js";

/** RULES 1: an acknowledged order survives with the content that was acknowledged. */
export const acknowledgedSurvives: Rule = {
  name: "rule-01-acknowledged-survives",
  check(index) {
    const found: Violation[] = [];
    if (index.database === null) return found;
    for (const placement of index.history.placements) {
      const answer = acknowledgement(placement);
      if (answer === null) continue;
      const stored = index.database.orders.get(answer.orderId);
      const problem =
        stored === undefined
          ? "was acknowledged and is not in the database"
          : stored.customerId !== placement.customerId
            ? `was placed by ${placement.customerId} and is stored for ${stored.customerId}`
            : stored.restaurantId !== placement.order.restaurantId
              ? `was placed at ${placement.order.restaurantId} and is stored at ${stored.restaurantId}`
              : lineText(stored.lines) !== lineText(placement.order.lines)
                ? `was placed with ${lineText(placement.order.lines)} and is stored with ${lineText(stored.lines)}`
                : stored.totals.totalMinor !== answer.totals.totalMinor
                  ? `was acknowledged at ${answer.totals.totalMinor} and is stored at ${stored.totals.totalMinor}`
                  : stored.version < answer.version
                    ? `was acknowledged at version ${answer.version} and is stored at ${stored.version}`
                    : null;
      if (problem !== null) {
        found.push(violation(this.name, answer.orderId, problem, index, ["placement", "stored"]));
      }
    }
    return found;
  },
};

/** RULES 2: one idempotency key: one order, one charge, one answer. */
export const oneKeyOneOrder: Rule = {
  name: "rule-02-one-key-one-order",
  check(index) {
    const found: Violation[] = [];
    const keyOfOrder = new Map<string, string>();
    for (const placement of index.history.placements) {
      const final = placement.answers.filter((answer) => answer.ok || !answer.temporary);
      const first = final[0];
      if (first === undefined) continue;
      for (const answer of final.slice(1)) {
        if (answerText(answer) === answerText(first)) continue;
        const problem = `key ${placement.idempotencyKey} got "${answerText(first)}" and later "${answerText(answer)}"`;
        const subject = first.ok ? first.orderId : answer.ok ? answer.orderId : placement.idempotencyKey;
        found.push(violation(this.name, subject, problem, index, ["placement"]));
      }
      const orderId = acknowledgement(placement)?.orderId;
      if (orderId === undefined) continue;
      const other = keyOfOrder.get(orderId);
      if (other !== undefined && other !== placement.idempotencyKey) {
        const problem = `answers both key ${other} and key ${placement.idempotencyKey}`;
        found.push(violation(this.name, orderId, problem, index, ["placement"]));
      }
      keyOfOrder.set(orderId, placement.idempotencyKey);
    }
    // Only a run that knows every key of its customers can count.
    if (index.atRest !== undefined) found.push(...moreOrdersThanKeys(this.name, index));
    for (const [orderId, bookings] of index.bookingsByOrder) {
      for (const [kind, what] of [
        ["captured", "charged"],
        ["authorised", "authorised"],
      ] as const) {
        const times = bookings.filter((booking) => booking.kind === kind).length;
        if (times <= 1) continue;
        found.push(violation(this.name, orderId, `was ${what} ${times} times`, index, ["placement", "payment"]));
      }
    }
    return found;
  },
};

function* moreOrdersThanKeys(rule: string, index: EvidenceIndex): Iterable<Violation> {
  const keys = new Map<string, number>();
  for (const { customerId } of index.history.placements) keys.set(customerId, (keys.get(customerId) ?? 0) + 1);
  const orders = new Map<string, string[]>();
  for (const { orderId, customerId } of index.database?.orders.values() ?? []) {
    orders.set(customerId, [...(orders.get(customerId) ?? []), orderId]);
  }
  for (const [customerId, orderIds] of orders) {
    const sent = keys.get(customerId) ?? 0;
    if (orderIds.length <= sent) continue;
    const unknown = orderIds.find((orderId) => !index.placementsByOrder.has(orderId)) ?? orderIds[0]!;
    const problem = `is one of ${orderIds.length} of ${customerId}, who used ${sent} keys`;
    yield violation(rule, unknown, problem, index, ["placement", "stored"]);
  }
}

/** RULES 3: status follows legal moves only; an order's version strictly rises. */
export const legalMoves: Rule = {
  name: "rule-03-legal-moves",
  check(index) {
    const found: Violation[] = [];
    for (const order of index.history.orders) {
      let longest: OrderStatus[] = [];
      for (const sighting of order.sightings) {
        const path = statusPath(sighting.steps);
        const illegal = illegalMove(path);
        const problem =
          illegal !== null
            ? `moved ${illegal}`
            : path[path.length - 1] !== sighting.status
              ? `shows ${sighting.status} while its timeline ends with ${path[path.length - 1] ?? "nothing"}`
              : !isPrefix(path, longest) && !isPrefix(longest, path)
                ? `showed ${longest.join("→")} to one client and ${path.join("→")} to another`
                : null;
        if (path.length > longest.length) longest = path;
        if (problem === null) continue;
        found.push(violation(this.name, order.orderId, problem, index, ["views"]));
        break;
      }
      for (const problem of versionProblems(order.sightings)) {
        found.push(violation(this.name, order.orderId, problem, index, ["views"]));
      }
    }
    for (const stored of index.database?.orders.values() ?? []) {
      const illegal = illegalMove(statusPath(stepLetters(stored.timeline)));
      if (illegal !== null) {
        found.push(violation(this.name, stored.orderId, `is stored as moved ${illegal}`, index, ["stored"]));
      }
    }
    return found;
  },
};

/** A later status must come with a higher version than every earlier one had. */
function versionProblems(sightings: readonly { version: number; steps: string }[]): string[] {
  const moves = sightings.map(({ version, steps }) => ({ version, steps, length: statusPath(steps).length }));
  moves.sort((a, b) => a.length - b.length);
  let earlier = { version: -1, steps: "" };
  let here = earlier;
  let length = 0;
  for (const move of moves) {
    if (move.length > length) {
      earlier = here;
      length = move.length;
    }
    if (move.version <= earlier.version) {
      return [
        `is [${earlier.steps}] at version ${earlier.version} and already [${move.steps}] at version ${move.version}`,
      ];
    }
    if (move.version > here.version) here = move;
  }
  return [];
}

/**
 * RULES 4, as far as clients can see: two writers would show two contents under one version, and a stale one would let
 * a client see more than the database holds in the end.
 */
export const oneWriter: Rule = {
  name: "rule-04-one-writer",
  check(index) {
    const found: Violation[] = [];
    for (const order of index.history.orders) {
      const content = new Map<number, string>();
      for (const { version, status, steps } of order.sightings) {
        const text = `${status} [${steps}]`;
        const known = content.get(version);
        if (known !== undefined && known !== text) {
          const problem = `showed version ${version} as ${known} and as ${text}`;
          found.push(violation(this.name, order.orderId, problem, index, ["views", "stored"]));
          break;
        }
        content.set(version, text);
      }
      const stored = index.database?.orders.get(order.orderId);
      const highest = Math.max(-1, ...content.keys());
      if (stored !== undefined && highest > stored.version) {
        const problem = `showed version ${highest}; the database holds ${stored.version}`;
        found.push(violation(this.name, order.orderId, problem, index, ["views", "stored"]));
      }
    }
    return found;
  },
};

/** RULES 10: every confirmed order reaches its restaurant's tablet within its bound. */
export const confirmedReachesTablet: Rule = {
  name: "rule-10-confirmed-reaches-tablet",
  check(index) {
    const found: Violation[] = [];
    for (const order of ordersKnown(index)) {
      const path = order.timeline.filter((entry) => statusPath(stepLetters([entry])).length > 0);
      const confirmed = path.findIndex((entry) => entry.kind === "confirmed");
      if (confirmed < 0) continue;
      // Ended before anyone could have been told, or not due yet when the run ended.
      const next = path[confirmed + 1];
      const waitedMs = (next?.at ?? index.endedAt) - dueFrom(index, path[confirmed]!.at);
      const shown = index.tabletsByOrder.get(order.orderId);
      const problem =
        shown === undefined
          ? next?.kind !== "accepted" && waitedMs < index.bounds.tabletMs
            ? null
            : `was confirmed and never shown on its tablet (${Math.round(waitedMs)} ms)`
          : lateOnTablet(index, path[confirmed]!.at, shown);
      if (problem === null) continue;
      found.push(violation(this.name, order.orderId, problem, index, ["views", "tablet", "stored"]));
    }
    return found;
  },
};

type Shown = readonly { readonly receivedAt: number }[];

/** The bound counts while no fault is at work, and a tablet whose line died in the faults has to notice it first. */
const dueFrom = (index: EvidenceIndex, confirmedAt: number): number =>
  index.healedAt === undefined ? confirmedAt : Math.max(confirmedAt, index.healedAt + noticeMs(index));

/** A run that does not say when no fault is at work has no bound. */
function lateOnTablet(index: EvidenceIndex, confirmedAt: number, shown: Shown): string | null {
  const { healedAt, bounds } = index;
  if (healedAt === undefined) return null;
  const first = Math.min(...shown.map((entry) => entry.receivedAt));
  if (first - dueFrom(index, confirmedAt) <= bounds.tabletMs + clockSkewMs(index)) return null;
  return `was shown on its tablet ${Math.round(first - confirmedAt)} ms after it was confirmed`;
}

/**
 * RULES 14: after faults heal, no order stays non-terminal past its deadline. The run has waited all deadlines out. Where
 * it waited for everybody, orders whose customers never heard of them count as well.
 */
export const endsInTime: Rule = {
  name: "rule-14-ends-in-time",
  check(index) {
    const found: Violation[] = [];
    const orderIds = new Set<string>();
    for (const placement of index.history.placements) {
      const orderId = acknowledgement(placement)?.orderId;
      if (orderId !== undefined) orderIds.add(orderId);
    }
    if (index.atRest !== undefined) for (const orderId of index.database?.orders.keys() ?? []) orderIds.add(orderId);
    for (const orderId of orderIds) {
      const status = index.database?.orders.get(orderId)?.status ?? index.ordersById.get(orderId)?.newest?.status;
      if (status === undefined || isTerminal(status)) continue;
      const problem = `is still ${status} when every deadline has passed`;
      found.push(violation(this.name, orderId, problem, index, ["views", "drivers", "stored"]));
    }
    return found;
  },
};

/** RULES 15: snapshot plus events equals the server's state: no gap, no repeat, no going backwards. */
export const noGapNoRepeat: Rule = {
  name: "rule-15-no-gap-no-repeat",
  check(index) {
    const found: Violation[] = index.history.faults.map((fault) => ({
      rule: this.name,
      subject: fault.stream,
      summary: `${fault.stream}: ${fault.what}: ${fault.detail}`,
      story: [`${new Date(fault.receivedAt).toISOString().slice(11, 23)} ${fault.detail}`],
    }));
    for (const order of index.history.orders) {
      const lastOf = new Map<string, (typeof order.sightings)[number]>();
      for (const sighting of order.sightings) {
        const last = lastOf.get(sighting.stream);
        if (last !== undefined && sighting.version < last.version) {
          const problem = `went back from version ${last.version} to ${sighting.version} for ${sighting.stream}`;
          found.push(violation(this.name, order.orderId, problem, index, ["views"]));
        }
        lastOf.set(sighting.stream, sighting);
      }
      const stored = index.database?.orders.get(order.orderId);
      if (stored === undefined || order.dropped > 0) continue;
      const storedPath = statusPath(stepLetters(stored.timeline));
      const until = settledUntil(index);
      for (const [stream, last] of lastOf) {
        const path = statusPath(last.steps);
        // Who saw an end must have seen the end; who left earlier must have seen a beginning of the truth.
        const ok = isTerminal(last.status) ? last.status === stored.status : isPrefix(path, storedPath);
        const behind = !isTerminal(last.status) && isTerminal(stored.status) && endedBefore(stored.timeline, until);
        if (ok && !behind) continue;
        const problem = `ended as ${last.status} for ${stream} and as ${stored.status} in the database`;
        found.push(violation(this.name, order.orderId, problem, index, ["views", "stored"]));
      }
    }
    return found;
  },
};

/** Long enough ago for everybody who follows to have seen it. */
const endedBefore = (timeline: readonly { readonly kind: string; readonly at: number }[], until: number | null) =>
  until !== null && timeline.some(({ kind, at }) => ENDS.has(kind) && at <= until);

const ENDS: ReadonlySet<string> = new Set(ORDER_STATUSES.filter(isTerminal));

function* ordersKnown(index: EvidenceIndex) {
  if (index.database !== null) {
    yield* index.database.orders.values();
    return;
  }
  for (const order of index.history.orders) if (order.newest !== null) yield order.newest;
}

function illegalMove(path: readonly OrderStatus[]): string | null {
  if (path.length > 0 && path[0] !== "placed") return `from nothing to ${path[0]}`;
  for (let i = 1; i < path.length; i++) {
    if (!NEXT_STATUS[path[i - 1]!].includes(path[i]!)) return `from ${path[i - 1]} to ${path[i]}`;
  }
  return null;
}

function isPrefix(short: readonly OrderStatus[], long: readonly OrderStatus[]): boolean {
  return short.length <= long.length && short.every((status, i) => status === long[i]);
}

function lineText(lines: readonly { itemId: string; quantity: number; unitPriceMinor: number }[]): string {
  return lines.map((line) => `${line.quantity}×${line.itemId}@${line.unitPriceMinor}`).join(" ");
}

function answerText(answer: PlacementAnswer): string {
  return answer.ok ? `${answer.orderId} ${answer.status} v${answer.version} ${answer.totals.totalMinor}` : answer.code;
}

function violation(
  rule: string,
  orderId: string,
  problem: string,
  index: EvidenceIndex,
  chapters: Parameters<typeof storyOfOrder>[2],
): Violation {
  return {
    rule,
    subject: orderId,
    summary: `order ${orderId} ${problem}`,
    story: storyOfOrder(index, orderId, chapters),
  };
}
