/**
 * A zone's matcher: carries its questions to the pool that thinks and the answers back, reads what customers think of its
 * drivers, and rings it when it is time to ask again. It exists because a zone is kept, and what a kept actor asks of the world is written down first: a decision
 * is out of date before a commit is done. This actor keeps nothing, so its effects and its timer cost no commit.
 *
 * Does not own: the question, the answer, what happens when there is none (the zone waits only so long, and hears of its
 * drivers and orders all the time).
 */
import { type ActorDefinition, defineActor } from "../../runtime/definition.js";
import { DECISION_EFFECT } from "../decision.js";
import { Zone } from "../dispatch-zone/messages.js";
import { asJson } from "../json.js";
import { Matcher, type MatcherContract, RATINGS_EFFECT } from "./messages.js";
import { initialMatcher, type MatcherState } from "./state.js";

export function matcherActor(): ActorDefinition<MatcherContract, MatcherState> {
  return defineActor<MatcherContract, MatcherState>({
    ref: Matcher,
    version: 1,
    durability: "volatile",
    idleMs: 10 * 60_000,
    init: initialMatcher,
    commands: {
      decide(ctx, { id, question }) {
        ctx.effect(DECISION_EFFECT, id, asJson(question), "decided");
        return null;
      },
      decided(ctx, result) {
        ctx.cast(Zone, ctx.key, "decided", { id: result.key, answer: result.ok ? result.value : null });
        return null;
      },
      readRatings(ctx, { id, driverIds }) {
        ctx.effect(RATINGS_EFFECT, id, [...driverIds], "ratingsRead");
        return null;
      },
      ratingsRead(ctx, result) {
        // Nobody could say: the zone asks again.
        if (result.ok && result.value !== null) ctx.cast(Zone, ctx.key, "ratingsRead", result.value);
        return null;
      },
      wake(ctx, { at }) {
        ctx.timer("wake", { at, run: "ring" });
        return null;
      },
      ring(ctx) {
        ctx.cast(Zone, ctx.key, "beat", null);
        return null;
      },
      show(ctx, { at }) {
        ctx.timer("show", { at, run: "ringToShow" });
        return null;
      },
      ringToShow(ctx) {
        ctx.cast(Zone, ctx.key, "show", null);
        return null;
      },
    },
  });
}
