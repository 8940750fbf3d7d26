import t from "tap";
import { type Config, defaults, SETTINGS } from "../config/mod.js";
import { type DomainSettings, defaultDomainSettings } from "../src/actors/domain/settings.js";
import { DEFAULT_GATEWAY_SETTINGS, type GatewaySettings } from "../src/gateway/settings.js";
import { filesBelow, readText } from "./support/project.js";

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

t.test("R-OPS-2: every setting is read by the node", async (t) => {
  const node = filesBelow(["src/node"], (path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  const text = ["src/main.ts", ...node].map(readText).join("\n");
  for (const { key, path } of SETTINGS) {
    // By its own name, or because a whole section is passed on.
    const names = path.map((_, index) => path.slice(0, index + 1).join("."));
    const read = names.some((name) =>
      new RegExp(`\\bconfig\\.${name.replaceAll(".", "\\.")}\\b${name === key ? "" : "(?!\\.)"}`).test(text),
    );
    t.ok(read, key);
  }
});
