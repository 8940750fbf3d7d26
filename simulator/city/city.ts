/**
 * One made-up city. Owns its ground, restaurants and people as they are at the beginning; does not own what happens to
 * them (the agents of `live/` do). Invariant: the same options give the same city on every machine.
 */
import { interpolate, type Point } from "../../src/lib/geo.js";
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import { createRestaurant, type Restaurant } from "./kitchens.js";
import { type CustomerPerson, createDriver, type DriverPerson } from "./people.js";
import { type Roads, round6, streetRoads } from "./roads.js";
import { createStreets, type StreetNetwork } from "./streets.js";

export interface CityOptions {
  readonly seed: number;
  readonly restaurants: number;
  readonly drivers: number;
  readonly customers: number;
  /** Crossings west–east and south–north, and how far apart they are. Defaults make a town of about 5 × 4 km. */
  readonly columns?: number;
  readonly rows?: number;
  readonly blockMeters?: number;
  readonly centre?: Point;
}

export interface City {
  readonly seed: number;
  readonly centre: Point;
  readonly network: StreetNetwork;
  readonly roads: Roads;
  readonly restaurants: readonly Restaurant[];
  readonly drivers: readonly DriverPerson[];
  readonly customers: readonly CustomerPerson[];
}

const DEFAULT_CENTRE: Point = { lat: 44.4021, lng: 8.9463 };

export function createCity(options: CityOptions): City {
  const centre = options.centre ?? DEFAULT_CENTRE;
  const network = createStreets(seededRandom(options.seed), {
    centre,
    columns: options.columns ?? 21,
    rows: options.rows ?? 16,
    blockMeters: options.blockMeters ?? 250,
  });
  // Each kind of people has its own stream: one driver more does not move the restaurants.
  const shops = seededRandom(options.seed + 1);
  const fleet = seededRandom(options.seed + 2);
  const homes = seededRandom(options.seed + 3);
  return {
    seed: options.seed,
    centre,
    network,
    roads: streetRoads(network),
    restaurants: Array.from({ length: options.restaurants }, (_, number) =>
      createRestaurant(shops, number, addressOf(shops, network, "major")),
    ),
    drivers: Array.from({ length: options.drivers }, (_, number) =>
      createDriver(fleet, number, addressOf(fleet, network, "any")),
    ),
    customers: Array.from({ length: options.customers }, (_, number) => ({
      id: `c-${number + 1}`,
      home: addressOf(homes, network, "any"),
    })),
  };
}

/** A house somewhere along a street that is no tunnel. */
export function addressOf(random: Random, network: StreetNetwork, on: "major" | "any"): Point {
  const houses = network.edges.filter((edge) => !edge.tunnel && (on === "any" || edge.class === on));
  const edge = pick(random, houses.length > 0 ? houses : network.edges);
  const share = (1 + randomInteger(random, 9)) / 10;
  const point = interpolate(network.nodes[edge.from]!, network.nodes[edge.to]!, share);
  return { lat: round6(point.lat), lng: round6(point.lng) };
}
