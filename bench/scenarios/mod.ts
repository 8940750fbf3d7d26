/** The scenarios, in the order in which they run. */
import type { Scenario } from "../harness/ports.js";
import { mailbox } from "./mailbox.js";

export const SCENARIOS: readonly Scenario[] = [mailbox];
