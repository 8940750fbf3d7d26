import type { Config } from "../../config/mod.js";
import { type DomainSettings, scaleDurations } from "../actors/domain/mod.js";

/** What the actors decide by: the configured day, made shorter by `timeScale`. */
export function domainSettings(config: Config): DomainSettings {
  return scaleDurations(config.domain, config.node.timeScale);
}
