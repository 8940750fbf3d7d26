import type { Config } from "../../config/mod.js";
import { type DomainSettings, scaleDurations } from "../actors/domain/mod.js";
import type { Clock } from "../lib/clock.js";
import { type ContactProvider, contactSandbox, httpContactProvider } from "../services/contact/mod.js";
import {
  builtInGeocoder,
  defaultNominatimSettings,
  type Geocoder,
  nominatimGeocoder,
} from "../services/geocoding/mod.js";
import type { QuoteSettings } from "../services/quotes/mod.js";
import { builtInRouter, defaultOsrmSettings, osrmRouter, type Router } from "../services/routing/mod.js";

/** What the actors decide by: the configured day, made shorter by `timeScale`. */
export function domainSettings(config: Config): DomainSettings {
  return scaleDurations(config.domain, config.node.timeScale);
}

/** Quotes calculate with the same figures as orders. */
export function quoteSettingsOf(config: Config): Partial<QuoteSettings> {
  const { travel, order, eta } = domainSettings(config);
  return {
    minuteMs: order.minuteMs,
    utcOffsetMinutes: eta.utcOffsetMinutes,
    handoverMs: travel.handoverMs,
    cushionMs: eta.cushionMs,
    defaultPrepMs: order.defaultPrepMs,
  };
}

export function routerOf(config: Config, clock: Clock): Router {
  const builtIn = builtInRouter(domainSettings(config).travel);
  const { osrmUrl, profile, timeoutMs } = config.routing;
  if (osrmUrl === null) return builtIn;
  const { timeScale } = config.node;
  return osrmRouter({ ...defaultOsrmSettings, url: osrmUrl, profile, timeoutMs, timeScale }, builtIn, clock);
}

export function contactProviderOf(config: Config): ContactProvider {
  const { url, token, timeoutMs } = config.contact;
  return url === null ? contactSandbox() : httpContactProvider({ url, token, timeoutMs });
}

export function geocoderOf(config: Config, clock: Clock): Geocoder {
  const { nominatimUrl: url, timeoutMs } = config.geocoding;
  if (url === null) return builtInGeocoder();
  return nominatimGeocoder({ ...defaultNominatimSettings, url, timeoutMs }, builtInGeocoder(), clock);
}
