/**
 * `search`: searches of a whole catalogue at one node. Four in five come from places and with texts that were searched
 * before, the others from places where nobody has searched; each kind is measured for itself. The bare server answers bytes
 * that it was given: what it leaves out is all of the searching.
 */
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import type { RunningSide, Sample, Scenario, Stage } from "../harness/ports.js";
import { joined, together } from "../lib/histogram.js";
import { addressFor, type Document, readDocuments, startReaders } from "../load/readers.js";
import { type Catalogue, catalogueOf, startWithCatalogue } from "./catalogue.js";
import type { OurNode } from "./our-node.js";
import { bareReads, bareToOurs, type ReadLoad } from "./reads.js";

const clock = systemClock();
const PER_SECOND = 500;
const SEEN_SHARE = 0.8;
const CONNECTIONS = 128;
const LOAD = "500 searches/s";
const SEEN_PLACES = 200;
const TEXTS_PER_PLACE = 6;
const FRESH = 12_000;
const STRIDE = 7_919;

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

interface Paths {
  readonly seen: readonly string[];
  readonly fresh: readonly string[];
}

function pathsOf(catalogue: Catalogue): Paths {
  const random = seededRandom(7);
  const pathOf = ({ lat, lng }: ReturnType<typeof somewhere>): string => {
    const text = somethingToEat(catalogue, random);
    const q = text === "" ? "" : `&q=${encodeURIComponent(text)}`;
    // Now and then with a filter, which needs no list of its own.
    const filters = ["", "", "", "", "&price=1,2", "&minRating=0", "&diet=vegetarian"];
    return `/v1/search?lat=${lat}&lng=${lng}${q}${pick(random, filters)}`;
  };
  const places = Array.from({ length: SEEN_PLACES }, () => somewhere(catalogue, random));
  const asked = places.flatMap((place) => Array.from({ length: TEXTS_PER_PLACE }, () => pathOf(place)));
  return {
    seen: asked.map((_, i) => asked[(i * STRIDE) % asked.length]!),
    fresh: Array.from({ length: FRESH }, () => pathOf(somewhere(catalogue, random))),
  };
}

/** The values of the metrics of searching, by name. */
async function searchMetrics(ours: OurNode): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${ours.target.nodes[0]!.url}/metrics`)).text();
  const lines = text.matchAll(/^swift_search_(\w+)(?:\{[^}]*\})? (\S+)$/gm);
  return Object.fromEntries([...lines].map((line) => [line[1]!, Number(line[2])]));
}

/** Both kinds at once, each by readers of its own. */
async function runningSearches(stage: Stage, ours: OurNode, { seen, fresh }: Paths): Promise<RunningSide> {
  const node = ours.target.nodes[0]!;
  const address = ours.target.addresses[0]!;
  const connections = stage.scaled(CONNECTIONS / 2, 8);
  const readersOf = (paths: readonly string[], first: number): ReturnType<typeof startReaders> =>
    startReaders(
      {
        requests: paths.map((path) => ({ path })),
        connections,
        localAddresses: Array.from({ length: connections }, (_, i) => addressFor(first + i)),
      },
      1,
    );
  const readers = [await readersOf(seen, 0), await readersOf(fresh, connections)] as const;
  const perSecond = stage.scaled(PER_SECOND);
  const rates = [perSecond * SEEN_SHARE, perSecond * (1 - SEEN_SHARE)] as const;
  return {
    pids: () => [node.pid],
    gauges: () => ours.gauges(),
    async prepare() {
      await Promise.all(readers.map((each) => each.open(address)));
    },
    async load(_name, seconds): Promise<Sample> {
      const before = await searchMetrics(ours);
      const both = await Promise.all(readers.map((each, i) => each.read(rates[i]!, seconds)));
      const after = await searchMetrics(ours);
      const gained = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
      const [ofSeen, ofFresh] = both.map(({ latency }) => together([latency]));
      const sum = (of: (each: (typeof both)[number]) => number): number => both.reduce((all, one) => all + of(one), 0);
      const [refused, unanswered] = [sum((each) => each.refused), sum((each) => each.unanswered)];
      return {
        operations: sum(({ answered }) => answered),
        seconds,
        latency: joined(both.map(({ latency }) => latency)),
        lag: joined(both.map(({ lag }) => lag)),
        figures: {
          seenP50Ms: ofSeen!.p50,
          seenP99Ms: ofSeen!.p99,
          uncachedP50Ms: ofFresh!.p50,
          uncachedP99Ms: ofFresh!.p99,
          hitPercent:
            (100 * gained("list_hits_count")) / Math.max(1, gained("list_hits_count") + gained("list_misses_count")),
          listMegabytes: (after.lists_bytes ?? 0) / 1e6,
          catalogueReadMs: after.build_ms ?? 0,
        },
        problems: [
          ...(refused === 0 ? [] : [`${refused} answers were not 200`]),
          ...(unanswered === 0 ? [] : [`${unanswered} searches were not answered`]),
        ],
      };
    },
    async stop() {
      for (const each of readers) each.stop();
      await ours.stop();
    },
  };
}

export const search: Scenario = {
  name: "search",
  what: "Searches of 20,000 restaurants with 600,000 dishes; every fifth from where nobody has searched before.",
  loads: [LOAD],
  operation: "search",
  warmUpSeconds: 3,
  lagBoundMs: 25,
  withoutIdle: true,
  sides(stage) {
    const catalogue = catalogueOf(stage);
    const paths = pathsOf(catalogue);
    const load: ReadLoad = {
      perSecond: stage.scaled(PER_SECOND),
      connections: stage.scaled(CONNECTIONS, 16),
      processes: 1,
      requests: paths.seen.map((path) => ({ path })),
    };
    let documents: readonly Document[] = [];
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL; four searches in five were asked before",
        async start() {
          const ours = await startWithCatalogue(stage, catalogue);
          while (((await searchMetrics(ours)).restaurants_count ?? 0) < catalogue.restaurants) await sleep(clock, 200);
          documents = await readDocuments(ours.target.nodes[0]!.url, load.requests, {});
          return runningSearches(stage, ours, paths);
        },
      },
      bareReads(
        "the native HTTP server alone, answering lists that were found before out of a map",
        { [LOAD]: "" },
        () => documents,
        async () => null,
        () => load,
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
    {
      what: "p99 of those that nobody had asked before",
      unit: "ms",
      better: "lower",
      atLeast: 300,
      ambition: 50,
      value: (look) => look("ours", "uncachedP99Ms"),
    },
    {
      what: "searches that found their list in memory",
      unit: "%",
      better: "higher",
      atLeast: 70,
      ambition: 80,
      value: (look) => look("ours", "hitPercent"),
    },
  ],
  ratioToLimit: (look) => bareToOurs(look),
};
