/**
 * Reads a real city-day: `orders.csv` (order_id, pick_up_lat, pick_up_lng, drop_off_lat, drop_off_lng, placement_time,
 * preparation_time, ready_time, expected_drop_off_time) and `couriers.csv` (courier_id, vehicle, on_lat, on_lng, on_time,
 * off_time). Times are HH:MM:SS of one day; a later stage that is earlier on the clock is on the next day.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Point } from "../../../src/lib/geo.js";
import { CannotRun } from "../node-control.js";

export interface RecordedOrder {
  readonly id: string;
  readonly pickUp: Point;
  readonly dropOff: Point;
  readonly placedMs: number;
  readonly preparationMs: number;
  readonly readyMs: number;
}

export interface RecordedCourier {
  readonly id: string;
  readonly vehicle: string;
  readonly start: Point;
  readonly onMs: number;
  readonly offMs: number;
}

export interface RecordedDay {
  readonly orders: readonly RecordedOrder[];
  readonly couriers: readonly RecordedCourier[];
}

const DAY_MS = 86_400_000;

export function readDay(directory: string): RecordedDay {
  const orders = rows(join(directory, "orders.csv")).map((row): RecordedOrder => {
    const placedMs = row.time("placement_time");
    const preparationMs = after(placedMs, row.time("preparation_time"));
    return {
      id: row.text("order_id"),
      pickUp: { lat: row.number("pick_up_lat"), lng: row.number("pick_up_lng") },
      dropOff: { lat: row.number("drop_off_lat"), lng: row.number("drop_off_lng") },
      placedMs,
      preparationMs,
      readyMs: after(preparationMs, row.time("ready_time")),
    };
  });
  const couriers = rows(join(directory, "couriers.csv")).map((row): RecordedCourier => {
    const onMs = row.time("on_time");
    return {
      id: row.text("courier_id"),
      vehicle: row.text("vehicle"),
      start: { lat: row.number("on_lat"), lng: row.number("on_lng") },
      onMs,
      offMs: after(onMs, row.time("off_time")),
    };
  });
  return { orders: orders.sort((a, b) => a.placedMs - b.placedMs), couriers };
}

function after(earlier: number, later: number): number {
  return later < earlier ? later + DAY_MS : later;
}

interface Row {
  text(column: string): string;
  number(column: string): number;
  time(column: string): number;
}

function rows(file: string): Row[] {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CannotRun(`${file} cannot be read`, { cause });
  }
  const [header = "", ...lines] = content.split(/\r?\n/).filter((line) => line !== "");
  const columns = header.split(",").map((column) => column.trim());
  return lines.map((line, index) => {
    const cells = line.split(",");
    const text = (column: string): string => {
      const cell = cells[columns.indexOf(column)]?.trim();
      if (cell === undefined || cell === "") throw new CannotRun(`${file}, line ${index + 2}: no ${column}`);
      return cell;
    };
    return {
      text,
      number(column) {
        const value = Number(text(column));
        if (!Number.isFinite(value)) throw new CannotRun(`${file}, line ${index + 2}: ${column} is no number`);
        return value;
      },
      time(column) {
        const match = /^(\d{1,2}):(\d{2}):(\d{2})$/.exec(text(column));
        if (match === null) throw new CannotRun(`${file}, line ${index + 2}: ${column} is no time of day`);
        return (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1000;
      },
    };
  });
}
