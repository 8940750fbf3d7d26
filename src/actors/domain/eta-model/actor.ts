/**
 * What a zone has learned of arrivals. Owns the model and when it is written down; what there is to learn is said by
 * delivered orders, who wants to know are the zone's restaurants. It asks nobody anything.
 */
import { learnOutcome, pictureOf } from "../../../eta/mod.js";
import { type ActorDefinition, defineActor } from "../../runtime/definition.js";
import { Zone } from "../dispatch-zone/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { EtaModel, type EtaModelContract, zoneDefaults } from "./messages.js";
import { type EtaModelMemory, type EtaModelState, emptyEtaMemory, initialEtaModel, modelOf } from "./state.js";

export function etaModelActor(
  settings: DomainSettings,
): ActorDefinition<EtaModelContract, EtaModelState, EtaModelMemory> {
  return defineActor<EtaModelContract, EtaModelState, EtaModelMemory>({
    ref: EtaModel,
    version: 1,
    durability: "commit",
    idleMs: 30 * 60_000,
    init: initialEtaModel,
    volatile: emptyEtaMemory,
    volatileCommands: ["learn", "wanted", "wantedByZone"],
    commands: {
      learn(ctx, outcome) {
        const memory = ctx.volatile;
        memory.model = learnOutcome(modelOf(ctx.state, memory), outcome, zoneDefaults(settings, ctx.now));
        if (memory.keptAt === 0) memory.keptAt = ctx.now;
        // One commit for many orders: what a crash loses is learned again.
        if (ctx.now - memory.keptAt >= settings.eta.keepMs) {
          memory.keptAt = ctx.now;
          ctx.become({ model: memory.model });
        }
        return null;
      },
      wanted(ctx, { restaurantId }) {
        const picture = pictureOf(modelOf(ctx.state, ctx.volatile), ctx.now, zoneDefaults(settings, ctx.now));
        ctx.cast(Restaurant, restaurantId, "zonePicture", picture);
        return null;
      },
      wantedByZone(ctx, { zone }) {
        const { way, paced, vehicles } = pictureOf(
          modelOf(ctx.state, ctx.volatile),
          ctx.now,
          zoneDefaults(settings, ctx.now),
        );
        ctx.cast(Zone, zone, "waysLearned", { way, paced, vehicles });
        return null;
      },
    },
  });
}
