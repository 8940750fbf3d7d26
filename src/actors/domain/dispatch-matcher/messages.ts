/** What others may send a zone's matcher. Its key is the zone's. */
import { actorRef, type EffectResult } from "../../runtime/definition.js";
import type { DecisionAnswer } from "../decision.js";
import type { RatingRow } from "../dispatch-zone/messages.js";

/** The effect that reads what customers think of drivers. Input: ids; answer: a row for each, or null when nobody can say. */
export const RATINGS_EFFECT = "ratings";

export type MatcherContract = {
  /** `question` is a `DecisionRequest` as `writeQuestion` wrote it: hundreds of rows that nobody looks at on the way. */
  decide: { input: { readonly id: string; readonly question: Uint8Array }; reply: null };
  decided: { input: EffectResult<DecisionAnswer | null>; reply: null };
  /** `id` names the question. The zone hears of it by `ratingsRead`, or not at all. */
  readRatings: { input: { readonly id: string; readonly driverIds: readonly string[] }; reply: null };
  ratingsRead: { input: EffectResult<readonly RatingRow[] | null>; reply: null };
  /** Rings the zone at this time. A later call replaces an earlier one. */
  wake: { input: { readonly at: number }; reply: null };
  ring: { input: null; reply: null };
  /** Has the zone show itself at this time. A later call replaces an earlier one. */
  show: { input: { readonly at: number }; reply: null };
  ringToShow: { input: null; reply: null };
};

export const Matcher = actorRef<MatcherContract>("dispatch-matcher");
