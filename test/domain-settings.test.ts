import t from "tap";
import { type Config, defaults } from "../config/mod.js";
import { type DomainSettings, defaultDomainSettings } from "../src/actors/domain/settings.js";

/** Compiles only while the configuration's section is what the actors take. */
const asSettings = (config: Config): DomainSettings => config.domain;

t.test("R-OPS-2: the domain section is the actors' settings, default by default", async (t) => {
  t.strictSame(asSettings(defaults), defaultDomainSettings);
});
