/**
 * `npm run bench:freshness`: how long what has closed or sold out by one node's word is still found, at that node and at
 * another. Two nodes of a cluster, on one database; the changes come one after the other, so that each is measured alone.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { Command } from "commander";
import { NodeControl } from "../../simulator/live/mod.js";
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { newHistogram, quantiles, record } from "../lib/histogram.js";
import { issueTokens } from "./node-process.js";
import { type BenchNode, startTarget } from "./target.js";

const clock = systemClock();
const note = (line: string): void => void process.stderr.write(`${line}\n`);
const ASK_EVERY_MS = 10;
/** Then it is found for another of its dishes. */
const GIVEN_UP_MS = 10_000;

const options = new Command()
  .option("--restaurants <n>", "in the catalogue", Number, 500)
  .option("--changes <n>", "of each kind", Number, 30)
  .option("--json <file>", "write the figures there")
  .parse()
  .opts<{ restaurants: number; changes: number; json?: string }>();

const catalogue = { seed: 1, restaurants: options.restaurants, items: 8, alwaysOpen: true };
const target = await startTarget({ nodes: 2, onProgress: note });
const [here, there] = target.nodes as [BenchNode, BenchNode];
try {
  const control = new NodeControl({ url: here.url, operatorSecret: here.operatorSecret, clock });
  await control.configure(Array.from({ length: options.restaurants }, (_, n) => restaurantOf(catalogue, n)));
  const histograms = { closed: [newHistogram(), newHistogram()], soldOut: [newHistogram(), newHistogram()] };

  async function isFound(node: BenchNode, number: number, text: string): Promise<boolean> {
    const { id, profile } = restaurantOf(catalogue, number);
    const query = `lat=${profile.lat}&lng=${profile.lng}&q=${encodeURIComponent(text)}&limit=50&sort=distance`;
    return (await (await fetch(`${node.url}/v1/search?${query}`)).text()).includes(`"${id}"`);
  }

  /** Says it at one node; how long it is still found at both. Null when it was not found before, or is found for another reason. */
  async function change(number: number, text: string, path: string, body: object): Promise<readonly number[] | null> {
    const { id } = restaurantOf(catalogue, number);
    const nodes = [here, there];
    for (const node of nodes) if (!(await isFound(node, number, text))) return null;
    const [token] = await issueTokens(here, [{ id, role: "restaurant" }]);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(here.url + path, {
      method: "POST",
      headers: { ...headers, "idempotency-key": `${path}-${number}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    const from = clock.monotonic();
    const gone = await Promise.all(
      nodes.map(async (node) => {
        while (await isFound(node, number, text)) {
          if (clock.monotonic() - from > GIVEN_UP_MS) return null;
          await sleep(clock, ASK_EVERY_MS);
        }
        return clock.monotonic() - from;
      }),
    );
    return gone.some((ms) => ms === null) ? null : (gone as number[]);
  }

  // Both have read the whole catalogue when they find its last restaurant.
  const last = options.restaurants - 1;
  for (const node of [here, there]) {
    while (!(await isFound(node, last, restaurantOf(catalogue, last).profile.name))) await sleep(clock, 200);
  }
  for (let n = 0; n < options.changes; n++) {
    const [closing, selling] = [(2 * n) % options.restaurants, (2 * n + 1) % options.restaurants];
    const closed = await change(closing, restaurantOf(catalogue, closing).profile.name, "/v1/restaurants/me/open", {
      open: false,
    });
    const [dish] = restaurantOf(catalogue, selling).profile.items;
    const soldOut = await change(selling, dish!.name, `/v1/restaurants/me/items/${dish!.itemId}`, { available: false });
    closed?.forEach((ms, i) => void record(histograms.closed[i]!, ms));
    soldOut?.forEach((ms, i) => void record(histograms.soldOut[i]!, ms));
    note(`${n + 1} of ${options.changes}`);
  }
  const figures = ([own, others]: (typeof histograms)["closed"]) => ({
    sameNodeMs: quantiles(own!),
    otherNodeMs: quantiles(others!),
  });
  const result = {
    restaurants: options.restaurants,
    closed: figures(histograms.closed),
    soldOut: figures(histograms.soldOut),
    loadAverages: loadavg().map((load) => Number(load.toFixed(2))),
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  await target.stop();
}
