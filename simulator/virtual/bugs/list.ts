/** Every bug that is planted. */
import type { Bug } from "./bug.js";
import { DOMAIN_BUGS } from "./domain.js";
import { ENGINE_BUGS } from "./engine.js";

export const BUGS: readonly Bug[] = [...ENGINE_BUGS, ...DOMAIN_BUGS];
