/**
 * Whether a solution keeps the problem's rules. Reads the three files as anybody else would and computes everything anew
 * from the instance: it shares no arithmetic with what made the solution.
 */
import { type Instance, type Spot, travelMinutes } from "./instance.js";
import type { SolutionFiles } from "./solution.js";

/**
 * Every broken rule as a sentence that names order, courier and minute; empty when the solution is feasible. A run that
 * went otherwise than planned (`as it went`) is not held to whole minutes, to the longest delivery and to the shift's
 * end: nobody could know them when a courier was sent.
 */
export function violations(
  instance: Instance,
  files: SolutionFiles,
  rules: "as planned" | "as it went" = "as planned",
): readonly string[] {
  const planned = rules === "as planned";
  const whole = (minute: number): boolean => Number.isInteger(minute) || (!planned && Number.isFinite(minute));
  const found: string[] = [];
  const orders = new Map(instance.orders.map((order) => [order.id, order]));
  const couriers = new Map(instance.couriers.map((courier) => [courier.id, courier]));
  const place = (id: string): Spot | undefined => orders.get(id) ?? couriers.get(id) ?? instance.restaurants.get(id);
  const halfPickup = instance.pickupServiceMinutes / 2;
  const halfDropoff = instance.dropoffServiceMinutes / 2;

  const told = new Map<string, { pickup: number; dropoff: number; courier: string }>();
  for (const cells of rows(files["solution_info_orders.txt"])) {
    const [id = "", placement, restaurant, ready, pickup, dropoff, courier = ""] = cells;
    const order = orders.get(id);
    if (order === undefined) found.push(`order ${id} is not in the instance`);
    else if (order.placement !== Number(placement) || order.ready !== Number(ready) || order.restaurant !== restaurant)
      found.push(`order ${id} differs from the instance`);
    if (told.has(id)) found.push(`order ${id} is listed twice`);
    told.set(id, { pickup: Number(pickup), dropoff: Number(dropoff), courier });
  }
  for (const id of orders.keys()) if (!told.has(id)) found.push(`order ${id} is not listed`);

  const moves = new Map<string, { at: number; from: string; to: string }[]>();
  for (const [courier = "", at, from = "", to = ""] of rows(files["solution_info_couriers.txt"])) {
    if (!couriers.has(courier)) found.push(`courier ${courier} is not in the instance`);
    const list = moves.get(courier) ?? [];
    moves.set(courier, list);
    list.push({ at: Number(at), from: from === "0" ? courier : from, to });
  }

  const seen = new Set<string>();
  const byCourier = new Map<string, { assigned: number; pickup: number; bundle: string[] }[]>();
  for (const [assigned, pickup, courier = "", ...bundle] of rows(files["solution_info_assignments.txt"])) {
    const list = byCourier.get(courier) ?? [];
    byCourier.set(courier, list);
    list.push({ assigned: Number(assigned), pickup: Number(pickup), bundle });
    if (bundle.length === 0) found.push(`courier ${courier} has an empty bundle at ${assigned}`);
    for (const id of bundle) {
      if (seen.has(id)) found.push(`order ${id} is in more than one assignment`);
      seen.add(id);
      const order = orders.get(id);
      if (order === undefined) found.push(`order ${id} of a bundle is not in the instance`);
      else if (order.placement > Number(assigned)) found.push(`order ${id} is assigned before it is placed`);
    }
    if (new Set(bundle.map((id) => orders.get(id)?.restaurant)).size > 1)
      found.push(`courier ${courier} has a bundle of several restaurants at ${assigned}`);
  }
  for (const [id, { dropoff }] of told)
    if (!Number.isNaN(dropoff) !== seen.has(id))
      found.push(`order ${id} is delivered without an assignment, or not delivered with one`);

  for (const [id, assignments] of byCourier) {
    const courier = couriers.get(id);
    if (courier === undefined) {
      found.push(`courier ${id} of an assignment is not in the instance`);
      continue;
    }
    const left = [...(moves.get(id) ?? [])];
    moves.delete(id);
    let here = id;
    let freeAt = courier.on;
    for (const { assigned, pickup, bundle } of assignments.toSorted((a, b) => a.assigned - b.assigned)) {
      const who = `courier ${id} at ${assigned}`;
      const restaurant = orders.get(bundle[0] ?? "")?.restaurant ?? "";
      if (![assigned, pickup].every(whole)) found.push(`${who}: times are not whole minutes`);
      if (assigned < courier.on || (planned && assigned > courier.off)) found.push(`${who}: is not on shift`);
      if (assigned < freeAt) found.push(`${who}: the assignment before ends at ${freeAt}`);
      if (planned && pickup > courier.off)
        found.push(`${who}: collects at ${pickup}, after the shift's end at ${courier.off}`);
      let arrived = go(restaurant, assigned, who);
      if (pickup < arrived + halfPickup) found.push(`${who}: collects at ${pickup}, but arrives at ${arrived}`);
      let earliest = pickup + halfPickup;
      for (const order of bundle) {
        const { ready = 0, placement = 0 } = orders.get(order) ?? {};
        const line = told.get(order);
        if (pickup < ready) found.push(`${who}: collects ${order} before it is ready at ${ready}`);
        arrived = go(order, earliest, who);
        const dropoff = line?.dropoff ?? Number.NaN;
        if (!whole(dropoff)) found.push(`${who}: ${order} has no whole minute of delivery`);
        if (!(dropoff >= arrived + halfDropoff))
          found.push(`${who}: delivers ${order} at ${dropoff}, but arrives at ${arrived}`);
        if (line?.courier !== id || line.pickup !== pickup)
          found.push(`${who}: ${order} is told differently in the orders' file`);
        if (planned && !(dropoff - placement <= instance.maximumMinutes))
          found.push(`${who}: ${order} takes ${dropoff - placement} minutes, more than ${instance.maximumMinutes}`);
        earliest = dropoff + halfDropoff;
      }
      freeAt = earliest;
    }
    if (left.length > 0) found.push(`courier ${id} moves without an assignment at ${left[0]?.at}`);

    function go(to: string, notBefore: number, who: string): number {
      const move = left.shift();
      const from = place(here);
      const target = place(to);
      if (move === undefined || from === undefined || target === undefined || move.from !== here || move.to !== to) {
        found.push(`${who}: should go from ${here} to ${to}, but goes from ${move?.from} to ${move?.to}`);
        here = to;
        return notBefore;
      }
      if (!whole(move.at)) found.push(`${who}: leaves at ${move.at}, no whole minute`);
      if (move.at < notBefore) found.push(`${who}: leaves for ${to} at ${move.at}, before ${notBefore}`);
      here = to;
      return move.at + travelMinutes(instance, from, target);
    }
  }
  for (const id of moves.keys()) found.push(`courier ${id} moves without any assignment`);
  return found;
}

/** The lines after the header as their fields. */
function rows(text: string): readonly string[][] {
  return text
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(/\s+/));
}
