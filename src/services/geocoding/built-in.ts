/**
 * The gazetteer that needs nobody: the streets of the demo city. An address is a street and perhaps a house number
 * (`12 Harbour Street`, `Harbour Street 12`, in any case, with typos); houses are numbered along the street, one every
 * fifteen metres. Pure.
 */
import { distanceMeters, interpolate, type Point } from "../../lib/geo.js";
import { GAZETTEER, GAZETTEER_CITY } from "./gazetteer.js";
import type { FoundAddress, Geocoder } from "./ports.js";

const METERS_PER_HOUSE = 15;
const SOURCE = "built-in";
/** Of a street's name, the share of its pairs of letters that an address has to share with it. */
const ENOUGH_ALIKE = 0.6;

interface Street {
  readonly name: string;
  readonly pairs: ReadonlySet<string>;
  readonly points: readonly Point[];
  readonly meters: number;
}

export interface BuiltInGeocoder extends Geocoder {
  readonly streets: number;
}

/** Lower case, without accents and marks: how two spellings are compared. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Pairs of neighbouring letters, the ends of words included. */
function pairsOf(text: string): ReadonlySet<string> {
  const padded = ` ${text} `;
  const pairs = new Set<string>();
  for (let i = 0; i + 2 <= padded.length; i++) pairs.add(padded.slice(i, i + 2));
  return pairs;
}

/** Dice's coefficient of the pairs: 1 for equal texts, 0 for texts without anything in common. */
function alike(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const pair of a) if (b.has(pair)) shared++;
  return (2 * shared) / (a.size + b.size);
}

function streetOf([name, corners]: readonly [string, string]): Street {
  const points = corners.split(" ").map((corner): Point => {
    const [lat, lng] = corner.split(",");
    return { lat: Number(lat), lng: Number(lng) };
  });
  let meters = 0;
  for (const [i, point] of points.entries()) if (i > 0) meters += distanceMeters(points[i - 1]!, point);
  return { name, pairs: pairsOf(plain(name)), points, meters };
}

/** The point so many metres along the street; its end when it is shorter. */
function along({ points }: Street, meters: number): Point {
  let rest = meters;
  for (let i = 1; i < points.length; i++) {
    const length = distanceMeters(points[i - 1]!, points[i]!);
    if (rest <= length && length > 0) return interpolate(points[i - 1]!, points[i]!, rest / length);
    rest -= length;
  }
  return points.at(-1)!;
}

const round6 = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

export function builtInGeocoder(streets: readonly (readonly [string, string])[] = GAZETTEER): BuiltInGeocoder {
  const known = streets.map(streetOf);

  function find(text: string, limit: number): readonly FoundAddress[] {
    // What comes after a comma is the city, or a country: there is one city here.
    const [wanted = ""] = text.split(",", 1);
    const words = plain(wanted).split(" ");
    const number = words.find((word) => /^[1-9][0-9]{0,3}$/.test(word));
    const pairs = pairsOf(words.filter((word) => word !== number).join(" "));
    return known
      .map((street) => ({ street, score: alike(pairs, street.pairs) }))
      .filter(({ score }) => score >= ENOUGH_ALIKE)
      .sort((a, b) => b.score - a.score || (a.street.name < b.street.name ? -1 : 1))
      .flatMap(({ street }): FoundAddress[] => {
        const house = number === undefined ? null : Number(number);
        // A house beyond the end of the street is none.
        if (house !== null && house * METERS_PER_HOUSE > street.meters) return [];
        const { lat, lng } = along(street, house === null ? street.meters / 2 : house * METERS_PER_HOUSE);
        const named = house === null ? street.name : `${house} ${street.name}`;
        return [{ address: `${named}, ${GAZETTEER_CITY}`, lat: round6(lat), lng: round6(lng), source: SOURCE }];
      })
      .slice(0, limit);
  }

  return {
    streets: known.length,
    find: async (text, limit) => find(text, limit),
    locate: async (text) => find(text, 1)[0] ?? null,
  };
}
