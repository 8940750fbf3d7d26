/** A believable catalogue on a node of ours: written by its public interface once a run, then read by several scenarios. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NodeControl } from "../../simulator/live/mod.js";
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Stage } from "../harness/ports.js";
import type { BenchNode } from "../load/target.js";
import { type OurNode, startOurs } from "./our-node.js";

const RESTAURANTS = 20_000;
const ITEMS = 30;
const WRITE_AT_ONCE = 1_000;

export interface Catalogue {
  readonly seed: number;
  readonly restaurants: number;
  readonly items: number;
  readonly alwaysOpen: boolean;
}

export const catalogueOf = (stage: Pick<Stage, "scaled">): Catalogue => ({
  seed: 1,
  restaurants: stage.scaled(RESTAURANTS, 50),
  items: ITEMS,
  alwaysOpen: true,
});

export const restaurantIds = (catalogue: Catalogue): string[] =>
  Array.from({ length: catalogue.restaurants }, (_, number) => restaurantOf(catalogue, number).id);

/** A node that comes up with the catalogue in its database, as a node does. */
export async function startWithCatalogue(
  stage: Stage,
  catalogue: Catalogue,
  args: readonly string[] = [],
): Promise<OurNode> {
  const dataDir = stage.directory(`catalogue-${catalogue.restaurants}-${catalogue.items}`);
  const written = join(dataDir, "written");
  if (!existsSync(written)) {
    mkdirSync(dataDir, { recursive: true });
    const writer = await startOurs({ ...stage, profileDirectory: null }, { dataDir });
    try {
      await write(writer.target.nodes[0]!, catalogue, stage.note);
    } finally {
      await writer.stop();
    }
    writeFileSync(written, "");
  }
  return startOurs(stage, { dataDir, args });
}

async function write(node: BenchNode, catalogue: Catalogue, note: (line: string) => void): Promise<void> {
  const clock = systemClock();
  const began = clock.monotonic();
  const control = new NodeControl({ url: node.url, operatorSecret: node.operatorSecret, clock });
  for (let from = 0; from < catalogue.restaurants; from += WRITE_AT_ONCE) {
    const count = Math.min(WRITE_AT_ONCE, catalogue.restaurants - from);
    await control.configure(Array.from({ length: count }, (_, i) => restaurantOf(catalogue, from + i)));
  }
  note(`${catalogue.restaurants} restaurants written in ${Math.round((clock.monotonic() - began) / 1000)} s`);
}
