/** A believable catalogue on a node of ours, by its public interface. */
import { NodeControl } from "../../simulator/live/mod.js";
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { systemClock } from "../../src/lib/clock.js";
import type { BenchNode } from "../load/target.js";

const WRITE_AT_ONCE = 1_000;

export interface Catalogue {
  readonly seed: number;
  readonly restaurants: number;
  readonly items: number;
  readonly alwaysOpen: boolean;
}

export const restaurantIds = (catalogue: Catalogue): string[] =>
  Array.from({ length: catalogue.restaurants }, (_, number) => restaurantOf(catalogue, number).id);

export async function fillCatalogue(
  node: BenchNode,
  catalogue: Catalogue,
  note: (line: string) => void,
): Promise<void> {
  const control = new NodeControl({ url: node.url, operatorSecret: node.operatorSecret, clock: systemClock() });
  for (let from = 0; from < catalogue.restaurants; from += WRITE_AT_ONCE) {
    const count = Math.min(WRITE_AT_ONCE, catalogue.restaurants - from);
    await control.configure(Array.from({ length: count }, (_, i) => restaurantOf(catalogue, from + i)));
  }
  note(`${catalogue.restaurants} restaurants written`);
}
