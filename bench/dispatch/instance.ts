/** Instances of the Meal Delivery Routing Problem as they lie in a folder: four tab-separated files, times in minutes. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../../src/lib/random.js";

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface InstanceOrder extends Spot {
  readonly id: string;
  readonly placement: number;
  readonly restaurant: string;
  readonly ready: number;
}

export interface InstanceCourier extends Spot {
  readonly id: string;
  readonly on: number;
  readonly off: number;
}

export interface Instance {
  readonly name: string;
  readonly orders: readonly InstanceOrder[];
  readonly couriers: readonly InstanceCourier[];
  readonly restaurants: ReadonlyMap<string, Spot>;
  readonly metersPerMinute: number;
  readonly pickupServiceMinutes: number;
  readonly dropoffServiceMinutes: number;
  readonly targetMinutes: number;
  readonly maximumMinutes: number;
  readonly payPerOrder: number;
  readonly payPerHour: number;
}

/** The names of the instances in a folder, in order. Throws when there is none. */
export async function instanceNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const files = await readdir(path.join(folder, entry.name));
    if (FILES.every((file) => files.includes(file))) names.push(entry.name);
  }
  if (names.length === 0) throw new Error(`${folder} holds no folder with ${FILES.join(", ")}`);
  return names.sort();
}

const FILES = ["orders.txt", "couriers.txt", "restaurants.txt", "instance_parameters.txt"];

/** Whole minutes from one spot to another. */
export function travelMinutes({ metersPerMinute }: Instance, from: Spot, to: Spot): number {
  return Math.ceil(Math.hypot(from.x - to.x, from.y - to.y) / metersPerMinute);
}

export async function readInstance(folder: string, name: string): Promise<Instance> {
  const table = async (file: string): Promise<readonly Row[]> =>
    parseTable(await readFile(path.join(folder, name, file), "utf8"), `${name}/${file}`);
  const [orders, couriers, restaurants, parameters] = await Promise.all(FILES.map(table));
  const only = parameters![0];
  if (only === undefined) throw new Error(`${name}/instance_parameters.txt has no line of values`);
  return {
    name,
    orders: orders!.map((row) => ({
      id: row.text("order"),
      x: row.number("x"),
      y: row.number("y"),
      placement: row.number("placement_time"),
      restaurant: row.text("restaurant"),
      ready: row.number("ready_time"),
    })),
    couriers: couriers!.map((row) => ({
      id: row.text("courier"),
      x: row.number("x"),
      y: row.number("y"),
      on: row.number("on_time"),
      off: row.number("off_time"),
    })),
    restaurants: new Map(
      restaurants!.map((row) => [row.text("restaurant"), { x: row.number("x"), y: row.number("y") }]),
    ),
    metersPerMinute: only.number("meters_per_minute"),
    pickupServiceMinutes: only.number("pickup service minutes"),
    dropoffServiceMinutes: only.number("dropoff service minutes"),
    targetMinutes: only.number("target click-to-door"),
    maximumMinutes: only.number("maximum click-to-door"),
    payPerOrder: only.number("pay per order"),
    payPerHour: only.number("guaranteed pay per hour"),
  };
}

interface Row {
  text(column: string): string;
  number(column: string): number;
}

/** A tab-separated table with a header. Errors name the file, the line and the column. */
export function parseTable(text: string, file: string): readonly Row[] {
  const [header, ...lines] = text.split(/\r?\n/);
  const columns = (header ?? "").split("\t").map((name) => name.trim());
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const cells = line.split("\t").map((cell) => cell.trim());
    const read = (column: string): string => {
      const value = cells[columns.indexOf(column)];
      if (value === undefined || value === "") throw new Error(`${file}: line ${index + 2} has no ${column}`);
      return value;
    };
    const number = (column: string): number => {
      const value = Number(read(column));
      if (!Number.isFinite(value)) throw new Error(`${file}: line ${index + 2}: ${column} is not a number`);
      return value;
    };
    return [{ text: read, number }];
  });
}

/** The instance with `part` of its couriers, drawn by `random`: the same ones for the same seed. */
export function someCouriers(instance: Instance, part: number, random: Random): Instance {
  const drawn = instance.couriers
    .map((courier) => ({ courier, lot: random.next() }))
    .sort((a, b) => a.lot - b.lot)
    .slice(0, Math.round(instance.couriers.length * part));
  const kept = new Set(drawn.map(({ courier }) => courier));
  return { ...instance, couriers: instance.couriers.filter((courier) => kept.has(courier)) };
}
