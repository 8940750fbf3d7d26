/** The way between two places along the city's streets, for a page. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { distanceMeters, type Point } from "../../../src/lib/geo.js";
import { BARE_GROUND, groundMap } from "./city.js";
import { Streets, type Way } from "./streets.js";

let streets: Promise<Streets> | null = null;
const cityStreets = (): Promise<Streets> => {
  streets ??= groundMap().then((city) => {
    // Bare ground may be one that did not come through: asked again with the next way.
    if (city === BARE_GROUND) streets = null;
    return new Streets(city);
  });
  return streets;
};

/** A position that moved less than this keeps its way. */
const MOVED_METERS = 25;
const NOWHERE: Way = { points: [], meters: 0, turns: [] };

/** Empty until it is found, and while one of the places is not known. */
export function useWay(from: Point | null, to: Point | null): Way {
  const way = useSignal<Way>(NOWHERE);
  const found = useSignal<{ readonly from: Point; readonly to: Point } | null>(null);
  useEffect(() => {
    if (from === null || to === null) {
      way.value = NOWHERE;
      found.value = null;
      return;
    }
    const before = found.peek();
    if (before !== null && distanceMeters(before.to, to) < 1 && distanceMeters(before.from, from) < MOVED_METERS) {
      return;
    }
    let late = false;
    found.value = { from, to };
    void cityStreets().then((all) => {
      if (!late) way.value = all.way(from, to);
    });
    return () => {
      late = true;
    };
  }, [from?.lat, from?.lng, to?.lat, to?.lng]);
  return way.value;
}
