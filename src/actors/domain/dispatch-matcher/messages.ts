/** What others may send a zone's matcher. Its key is the zone's. */
import { actorRef, type EffectResult } from "../../runtime/definition.js";
import type { DecisionAnswer, DecisionRequest } from "../decision.js";

export type MatcherContract = {
  decide: { input: DecisionRequest; reply: null };
  decided: { input: EffectResult<DecisionAnswer | null>; reply: null };
  /** Rings the zone at this time. A later call replaces an earlier one. */
  wake: { input: { readonly at: number }; reply: null };
  ring: { input: null; reply: null };
};

export const Matcher = actorRef<MatcherContract>("dispatch-matcher");
