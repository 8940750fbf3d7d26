/** What others may send a zone's model of arrivals. Its key is the zone's. Nothing here is durable: what is lost is said again. */
import { newZoneModel, type Outcome, pictureOf, type ZoneDefaults, type ZonePicture } from "../../../eta/mod.js";
import { offsetMinutes } from "../../../lib/wall-time.js";
import { actorRef } from "../../runtime/definition.js";
import type { DomainSettings } from "../settings.js";

export type EtaModelContract = {
  /** One delivered order. */
  learn: { input: Outcome; reply: null };
  /** A restaurant of the zone wants the picture; it is sent back as `zonePicture`. */
  wanted: { input: { readonly restaurantId: string }; reply: null };
  /** The zone, or a part of it, wants it for its decisions. */
  wantedByZone: { input: { readonly zone: string }; reply: null };
};

export const EtaModel = actorRef<EtaModelContract>("eta-model");

/** At `now`: the market's clock may be put forward or back. */
export function zoneDefaults({ travel, order, eta }: DomainSettings, now: number): ZoneDefaults {
  return {
    handoverMs: travel.handoverMs,
    cushionMs: eta.cushionMs,
    minuteMs: order.minuteMs,
    utcOffsetMinutes: offsetMinutes(eta, now),
  };
}

const first = new WeakMap<DomainSettings, ZonePicture>();

/** What is believed of a zone that has not been heard. */
export function pictureAtFirst(settings: DomainSettings): ZonePicture {
  let picture = first.get(settings);
  if (picture === undefined) {
    picture = pictureOf(newZoneModel(), 0, zoneDefaults(settings, 0));
    first.set(settings, picture);
  }
  return picture;
}
