/**
 * `search`: searches of a whole catalogue at one node. Four in five come from places and with texts that were searched
 * before, the others from places where nobody has searched. The bare server answers bytes that it was given: what it
 * leaves out is all of the searching.
 */
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import type { Scenario } from "../harness/ports.js";
import { type Document, readDocuments } from "../load/readers.js";
import { type Catalogue, fillCatalogue } from "./catalogue.js";
import { startOurs } from "./our-node.js";
import { bareReads, bareToOurs, type ReadLoad, runningReads } from "./reads.js";

const clock = systemClock();
const RESTAURANTS = 5_000;
const ITEMS = 30;
const PER_SECOND = 500;
const CONNECTIONS = 128;
const LOAD = "500 searches/s";
const SEEN_PLACES = 200;
const TEXTS_PER_PLACE = 6;
const FRESH = 12_000;
const STRIDE = 7_919;
const COUNTED = /^swift_search_restaurants_count\{[^}]*\} (\S+)$/m;

/** A dish, a cuisine, a few of its letters, one of them wrong, two words; and very often nothing. */
function somethingToEat(catalogue: Catalogue, from: Random): string {
  const { profile } = restaurantOf(catalogue, randomInteger(from, catalogue.restaurants));
  const dish = pick(from, profile.items).name.split(" ").slice(0, 2).join(" ");
  switch (randomInteger(from, 10)) {
    case 0:
    case 1:
    case 2:
      return "";
    case 3:
      return profile.cuisines?.[0] ?? "";
    case 4:
      return dish.slice(0, 5);
    case 5:
      return `${dish.slice(0, 2)}${dish.slice(3)}`;
    case 6:
      return profile.name;
    default:
      return dish;
  }
}

/** Some hundred metres from where a restaurant is. */
function somewhere(catalogue: Catalogue, random: Random): { readonly lat: string; readonly lng: string } {
  const { lat, lng } = restaurantOf(catalogue, randomInteger(random, catalogue.restaurants)).profile;
  const near = (degrees: number): string => (degrees + (random.next() - 0.5) / 50).toFixed(6);
  return { lat: near(lat), lng: near(lng) };
}

function pathsOf(catalogue: Catalogue): { readonly seen: readonly string[]; readonly all: readonly string[] } {
  const random = seededRandom(7);
  const pathOf = ({ lat, lng }: ReturnType<typeof somewhere>): string => {
    const text = somethingToEat(catalogue, random);
    const q = text === "" ? "" : `&q=${encodeURIComponent(text)}`;
    // Now and then with a filter, which needs no list of its own.
    const filters = ["", "", "", "", "&price=1,2", "&minRating=0", "&diet=vegetarian"];
    return `/v1/search?lat=${lat}&lng=${lng}${q}${pick(random, filters)}`;
  };
  const places = Array.from({ length: SEEN_PLACES }, () => somewhere(catalogue, random));
  const seen = places.flatMap((place) => Array.from({ length: TEXTS_PER_PLACE }, () => pathOf(place)));
  const all = Array.from({ length: FRESH * 5 }, (_, i) =>
    i % 5 === 0 ? pathOf(somewhere(catalogue, random)) : seen[(i * STRIDE) % seen.length]!,
  );
  return { seen, all };
}

export const search: Scenario = {
  name: "search",
  what: "Searches of 5,000 restaurants with 150,000 dishes; every fifth from where nobody has searched before.",
  loads: [LOAD],
  operation: "search",
  warmUpSeconds: 3,
  lagBoundMs: 25,
  withoutIdle: true,
  sides(stage) {
    const catalogue = { seed: 1, restaurants: stage.scaled(RESTAURANTS, 50), items: ITEMS, alwaysOpen: true };
    const { seen, all } = pathsOf(catalogue);
    const load = (paths: readonly string[]): ReadLoad => ({
      perSecond: stage.scaled(PER_SECOND),
      connections: stage.scaled(CONNECTIONS, 16),
      processes: 1,
      requests: paths.map((path) => ({ path })),
    });
    let documents: readonly Document[] = [];
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL; four searches in five were asked before",
        async start() {
          const ours = await startOurs(stage);
          const node = ours.target.nodes[0]!;
          await fillCatalogue(node, catalogue, stage.note);
          for (;;) {
            const text = await (await fetch(`${node.url}/metrics`)).text();
            if (Number(COUNTED.exec(text)?.[1] ?? 0) >= catalogue.restaurants) break;
            await sleep(clock, 200);
          }
          documents = await readDocuments(
            node.url,
            seen.map((path) => ({ path })),
            {},
          );
          const place = { address: ours.target.addresses[0]!, pid: node.pid };
          return runningReads(ours, { [LOAD]: place }, load(all));
        },
      },
      bareReads(
        "the native HTTP server alone, answering lists that were found before out of a map",
        { [LOAD]: "" },
        () => documents,
        async () => null,
        () => load(seen),
      ),
    ];
  },
  goals: [
    {
      what: "p99 at 500 searches/s",
      unit: "ms",
      better: "lower",
      atLeast: 300,
      ambition: 50,
      value: (look) => look("ours", "p99Ms"),
    },
  ],
  ratioToLimit: (look) => bareToOurs(look),
};
