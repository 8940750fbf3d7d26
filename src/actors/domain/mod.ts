/** The food actors' one door: their definitions for the engine, and the refs by which others speak to them. */
import type { AnyActorDefinition } from "../runtime/definition.js";
import { chatQueueActor } from "./chat-queue/actor.js";
import { chatRoomActor } from "./chat-room/actor.js";
import { matcherActor } from "./dispatch-matcher/actor.js";
import { zoneActor } from "./dispatch-zone/actor.js";
import { driverActor } from "./driver/actor.js";
import { etaModelActor } from "./eta-model/actor.js";
import { orderActor } from "./order/actor.js";
import { restaurantActor } from "./restaurant/actor.js";
import type { DomainSettings } from "./settings.js";

export { ChatRoom, type ChatRoomContract, type ContactAnswer, type ContactRequest } from "./chat-room/messages.js";
export {
  DECISION_EFFECT,
  type DecisionAnswer,
  type DecisionPool,
  type DecisionRequest,
  decisionEffect,
  decisionRules,
  inProcessDecisions,
  type OrderRow,
  readQuestion,
  solveDecision,
  solveQuestion,
  writeQuestion,
} from "./decision.js";
export { RATINGS_EFFECT } from "./dispatch-matcher/messages.js";
export { isZone } from "./dispatch-zone/cells.js";
export { Zone, type ZoneContract, zoneOf, zonesAround, zonesInReach } from "./dispatch-zone/messages.js";
export { Driver, type DriverContract } from "./driver/messages.js";
export { EtaModel, type EtaModelContract } from "./eta-model/messages.js";
export {
  Order,
  type OrderContract,
  type OrderRecord,
  type PaymentAnswer,
  type PaymentRequest,
  type PlaceInput,
} from "./order/messages.js";
export { Restaurant, type RestaurantContract } from "./restaurant/messages.js";
export {
  type ChatSettings,
  type DispatchMode,
  type DomainSettings,
  type DriverSettings,
  defaultDomainSettings,
  type EtaSettings,
  type OfferMode,
  type OrderSettings,
  type RestaurantSettings,
  scaleDurations,
  type TravelSettings,
  type ZoneSettings,
} from "./settings.js";

/** Every kind of actor there is, deciding by these settings. */
export function domainActors(settings: DomainSettings): AnyActorDefinition[] {
  return [
    orderActor(settings),
    driverActor(settings),
    restaurantActor(settings),
    zoneActor(settings),
    matcherActor(),
    etaModelActor(settings),
    chatRoomActor(settings),
    chatQueueActor(),
  ];
}
