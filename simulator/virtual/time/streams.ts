/** One seed split into streams by name, so that what one component draws never depends on the order others draw in. */
import { type Random, seededRandom } from "../../../src/lib/random.js";
import type { Streams } from "../ports.js";
import { hashText } from "./scheduler.js";

export function createStreams(seed: number): Streams {
  const streams = new Map<string, Random>();
  return {
    of(name) {
      let stream = streams.get(name);
      if (stream === undefined) {
        // The seed goes in twice, so that neighbouring seeds do not share their streams' beginnings.
        stream = seededRandom(hashText(name, hashText(String(seed))));
        streams.set(name, stream);
      }
      return stream;
    },
  };
}
