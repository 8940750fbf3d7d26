import t from "tap";
import { type Config, defaults } from "../config/mod.js";
import { type DomainSettings, defaultDomainSettings } from "../src/actors/domain/settings.js";
import { DEFAULT_GATEWAY_SETTINGS, type GatewaySettings } from "../src/gateway/settings.js";

/** These compile only while the configuration's sections are what the parts take. */
const domainSettings = (config: Config): DomainSettings => config.domain;
type FromNode = "version" | "timeScale" | "socketPath" | "drainMs";
const gatewaySettings = (config: Config): Omit<GatewaySettings, FromNode> => config.gateway;

t.test("R-OPS-2: the domain section is the actors' settings, default by default", async (t) => {
  t.strictSame(domainSettings(defaults), defaultDomainSettings);
});

t.test("R-OPS-2: the gateway section is the gateway's settings, default by default", async (t) => {
  const { version, timeScale, socketPath, drainMs, ...expected } = DEFAULT_GATEWAY_SETTINGS;
  t.strictSame(gatewaySettings(defaults), expected);
  t.equal(defaults.node.drainMs, drainMs);
  t.equal(defaults.node.timeScale, timeScale);
  t.ok(version && socketPath);
});
