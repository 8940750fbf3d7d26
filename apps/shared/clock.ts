/** The page's clock. */
import { systemClock } from "../../src/lib/clock.js";
import { systemRandom } from "../../src/lib/random.js";

export const clock = systemClock();
export const random = systemRandom();
