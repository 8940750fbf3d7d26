import { generateKeyPairSync } from "node:crypto";
import { Ajv } from "ajv";
import t from "tap";
import {
  asksForHelp,
  ConfigError,
  type ConfigProblem,
  type ConfigSources,
  childEnvironment,
  configurationDocument,
  defaults,
  helpText,
  loadConfig,
  printable,
  SETTINGS,
  withoutSettings,
} from "./mod.js";
import { editDistance, nearestName } from "./nearest.js";
import { ConfigSchema } from "./schema.js";
import { SETTING_KEYWORDS } from "./setting.js";

const nothing: ConfigSources = { env: {}, readText: () => "{}" };

function problemsOf(sources: ConfigSources): readonly ConfigProblem[] {
  try {
    loadConfig({ ...nothing, ...sources });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const ED25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim();

t.test("R-OPS-1: a node starts with nothing set", async (t) => {
  t.strictSame(loadConfig(nothing), defaults);
});

t.test("R-OPS-2: command line over environment over file over defaults", async (t) => {
  const readText = (path: string) => {
    t.equal(path, "city.json");
    return JSON.stringify({ http: { port: 1001, host: "10.0.0.1" }, node: { id: "file", timeScale: 2 } });
  };
  const env = { SWIFT_EATS_CONFIG: "city.json", PORT: "1002", NODE_ID: "environment" };
  const config = loadConfig({ argv: ["--port", "1003"], env, readText });
  t.equal(config.http.port, 1003, "the command line wins");
  t.equal(config.node.id, "environment", "then the environment");
  t.equal(config.http.host, "10.0.0.1", "then the file");
  t.equal(config.node.timeScale, 2);
  t.equal(config.node.logLevel, defaults.node.logLevel, "then the default");
});

t.test("R-OPS-2: --config wins over the variable, and over the caller's own file", async (t) => {
  const opened: string[] = [];
  const readText = (path: string) => {
    opened.push(path);
    return "{}";
  };
  loadConfig({ argv: ["--config=a.json"], env: { SWIFT_EATS_CONFIG: "b.json" }, file: "c.json", readText });
  loadConfig({ argv: [], env: { SWIFT_EATS_CONFIG: "b.json" }, file: "c.json", readText });
  loadConfig({ argv: [], env: {}, file: "c.json", readText });
  t.strictSame(opened, ["a.json", "b.json", "c.json"]);
});

t.test("R-OPS-2: every setting can be given in each of the four ways", async (t) => {
  const other = (setting: (typeof SETTINGS)[number], value: unknown): unknown => {
    if (setting.key === "domain.zone.maxTripOrders") return 2;
    if (typeof value === "number") return value + 1;
    if (typeof value === "boolean") return !value;
    if (setting.key === "node.logLevel") return "debug";
    if (setting.key === "domain.order.offerMode") return "broadcast";
    if (setting.key === "domain.zone.dispatch") return "simple";
    if (setting.key === "auth.privateKey") return ED25519;
    if (setting.key === "domain.eta.timeZone") return "Asia/Kathmandu";
    if (setting.key === "gateway.trustedProxies") return ["10.0.0.0/8", "2001:db8::1"];
    if (setting.type === "list") return setting.allowed.includes("accepted") ? ["placed"] : ["https://a.example"];
    if (setting.type === "map") return { "872830828ffffff": "broadcast" };
    if (setting.key.endsWith("databaseUrl")) return "postgres://db/x";
    if (setting.key === "redis.url") return "redis://cache:6379";
    if (setting.key === "gateway.minAppVersion") return "2.1";
    if (setting.key.endsWith(".url") || setting.key.endsWith("Url")) return "http://host:1";
    return "another-text-of-enough-length";
  };
  const text = (value: unknown): string =>
    Array.isArray(value)
      ? value.join(",")
      : typeof value === "object" && value !== null
        ? Object.entries(value)
            .map((pair) => pair.join("="))
            .join(",")
        : String(value);
  const at = (config: unknown, path: readonly string[]): unknown =>
    path.reduce<unknown>((place, name) => (place as Record<string, unknown>)[name], config);
  // A node of a cluster needs more than its NATS server, which another test has.
  for (const setting of SETTINGS.filter(({ key }) => key !== "cluster.natsUrl")) {
    const value = other(setting, at(defaults, setting.path));
    const nested = setting.path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    const ways: ConfigSources[] = [
      { env: { [setting.longEnv]: text(value) } },
      { argv: [`--${setting.key}=${text(value)}`] },
      { argv: [`--${setting.key}`, text(value)] },
      { file: "f.json", readText: () => JSON.stringify(nested) },
      ...(setting.env ?? []).map((name) => ({ env: { [name]: text(value) } })),
      ...(setting.flags ?? []).map((flag) => ({ argv: [`--${flag}`, text(value)] })),
    ];
    for (const way of ways) t.strictSame(at(loadConfig({ ...nothing, ...way }), setting.path), value, setting.key);
  }
});

t.test("R-OPS-2: all problems come at once, each with key, value, what is allowed and what to do", async (t) => {
  const problems = problemsOf({
    argv: ["--port", "eighty", "--time-scale", "0", "--log-level", "loud"],
    env: { SHARD_WORKERS: "-1", DATABASE_URL: "mysql://db" },
  });
  t.strictSame(problems.map(({ key }) => key).sort(), [
    "http.port",
    "node.logLevel",
    "node.shardWorkers",
    "node.timeScale",
    "store.databaseUrl",
  ]);
  const port = problems.find(({ key }) => key === "http.port")!;
  t.strictSame(port, {
    key: "http.port",
    given: '"eighty"',
    source: "command line --port",
    allowed: "a whole number from 0 to 65535",
    advice: "Choose a free port, or 0 to be given one.",
  });
  const message = new ConfigError(problems).message;
  t.match(message, /5 problems/);
  t.match(message, /http\.port is "eighty" \(command line --port\)\. Allowed: a whole number from 0 to 65535\. Choose/);
});

t.test("R-OPS-2: a fraction is no whole number, a list or a map inside is judged too", async (t) => {
  t.equal(problemsOf({ env: { PORT: "80.5" } })[0]?.key, "http.port");
  const late = problemsOf({ argv: ["--domain.order.customerMayCancelIn", "placed,eaten"] });
  t.equal(late[0]?.key, "domain.order.customerMayCancelIn");
  const zones = problemsOf({ argv: ["--domain.order.offerModeByZone", "87283=shouting"] });
  t.equal(zones[0]?.key, "domain.order.offerModeByZone");
  t.match(zones[0]?.allowed, /sequential, broadcast/);
  const file = problemsOf({ file: "f.json", readText: () => '{"http":{"port":null}}' });
  t.match(file[0], { key: "http.port", source: "file f.json" });
});

t.test("R-OPS-2: an unknown name is an error with the nearest known one", async (t) => {
  t.match(problemsOf({ argv: ["--prot", "80"] }), [{ key: "--prot", advice: "Did you mean --port?" }]);
  t.match(problemsOf({ argv: ["8080"] }), [{ key: "8080" }]);
  t.match(problemsOf({ env: { SWIFT_EATS_HTTP_PROT: "80" } }), [{ advice: "Did you mean SWIFT_EATS_HTTP_PORT?" }]);
  t.match(problemsOf({ file: "f", readText: () => '{"http":{"prot":1}}' }), [{ advice: "Did you mean http.port?" }]);
  t.match(problemsOf({ file: "f", readText: () => '{"htp":{"port":1}}' }), [{ key: "htp", source: "file f" }]);
  t.match(problemsOf({ argv: ["--something-else-entirely"] }), [{ advice: "Remove it." }]);
  t.strictSame(problemsOf({ env: { PATH: "/bin", HOME: "/root", PORTS: "1" } }), [], "other variables are others'");
});

t.test("R-OPS-2: a file that cannot be read or understood says why", async (t) => {
  const missing = () => {
    throw new Error("ENOENT: no such file");
  };
  t.match(problemsOf({ argv: ["--config", "none.json"], readText: missing })[0]?.advice, /ENOENT/);
  t.equal(problemsOf({ file: "f", readText: () => "{" }).length, 1);
  t.equal(problemsOf({ file: "f", readText: () => "[]" }).length, 1);
  t.match(problemsOf({ file: "f", readText: () => '{"http":8080}' }), [{ key: "http" }]);
  t.equal(problemsOf({ argv: ["--config"] }).length, 1);
  t.equal(problemsOf({ argv: ["--port"] })[0]?.key, "http.port");
});

t.test("R-OPS-2: settings that contradict each other are named with both values", async (t) => {
  const zones = problemsOf({ argv: ["--domain.zone.mergeBelow", "700"] });
  t.match(zones, [{ key: "domain.zone.mergeBelow", given: "700", source: /domain\.zone\.splitAbove = 600/ }]);
  const together = problemsOf({ env: { NATS_URL: "nats://bus:4222", DATABASE_URL: "postgres://db" } });
  t.same(
    together.map(({ key }) => key),
    ["payment.url", "auth.privateKey", "auth.operatorSecret", "auth.orderIdSecret"],
    "R-OPS-1: what nodes of a cluster must share",
  );
  t.match(together[0]?.source, /beside cluster\.natsUrl/);
  t.match(problemsOf({ env: { CLUSTER_LEASE_MS: "1500" } }), [{ key: "cluster.leaseMs", given: "1500" }]);
  const gps = problemsOf({ argv: ["--domain.driver.gpsTokenMs", "9000"] });
  t.match(gps, [{ key: "domain.driver.gpsTokenMs", source: /gpsTripMs = 5000/ }]);
});

t.test("R-OPS-2: a key that cannot sign tokens is refused by its name, with what to do, and not shown", async (t) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
  // As tools give it that read `\\n` in an environment file as two letters.
  for (const wrong of ["garbage-with-hunter2-in-it", rsa.toString(), ED25519.replaceAll("\n", "\\n")]) {
    const problems = problemsOf({ env: { AUTH_PRIVATE_KEY: wrong } });
    t.match(problems, [
      { key: "auth.privateKey", given: "[redacted]", allowed: /Ed25519 key as PEM/, advice: /openssl/ },
    ]);
  }
  t.match(loadConfig({ ...nothing, env: { AUTH_PRIVATE_KEY: ED25519 } }).auth.privateKey, ED25519);
});

t.test("R-OPS-2: a time zone that there is not is refused by its name", async (t) => {
  const given = (name: string) => ({ env: { SWIFT_EATS_DOMAIN_ETA_TIME_ZONE: name } });
  t.equal(
    loadConfig({ ...nothing, ...given("America/Argentina/Buenos_Aires") }).domain.eta.timeZone?.slice(0, 7),
    "America",
  );
  for (const wrong of ["Europe/Atlantis", "Rome", "+25:00"]) {
    t.match(problemsOf(given(wrong)), [{ key: "domain.eta.timeZone", given: wrong, advice: /Europe\/Rome/ }], wrong);
  }
});

t.test("R-ENG-4: no command may be sent later than its id is remembered", async (t) => {
  t.match(problemsOf({ env: { SWIFT_EATS_GATEWAY_MAX_NOT_AFTER_MS: "172800000" } }), [
    { key: "gateway.maxNotAfterMs" },
  ]);
});

t.test("R-OPS-2: a proxy is named by an address or a network, nothing else is one", async (t) => {
  const given = (text: string) => ({ env: { TRUSTED_PROXIES: text } });
  const proxies = "10.0.0.0/8, 192.0.2.7, 2001:db8::/32, ::1";
  t.strictSame(loadConfig({ ...nothing, ...given(proxies) }).gateway.trustedProxies, proxies.split(", "));
  for (const wrong of ["everybody", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/", "2001:db8::/129", "10.0.0", "*"]) {
    t.match(problemsOf(given(wrong)), [{ key: "gateway.trustedProxies", allowed: /addresses or networks/ }], wrong);
  }
});

t.test("R-OPS-2: an address that no client would understand is refused at the start, and not shown", async (t) => {
  const given = (key: string, value: string) => ({ argv: [`--${key}`, value] });
  for (const [key, value] of [
    ["store.databaseUrl", "postgres://eats:hunter#2@db:5432/eats"],
    ["store.databaseUrl", "postgres://eats:1234#2@db:5432/eats"],
    ["store.databaseUrl", "postgres://eats:12/34@db:5432/eats"],
    ["store.databaseUrl", "postgres://eats:hunter?2@db:5432/eats"],
    ["store.databaseUrl", "postgres://eats:hunter%2@db:5432/eats"],
    ["store.databaseUrl", "postgres://db:99999/eats"],
    ["redis.url", "redis://:hunter#2@cache:6379"],
    ["redis.url", "redis://"],
    ["cluster.natsUrl", "nats://a:4222,nats://b:42222222"],
    ["payment.url", "https://"],
    ["notifications.smsUrl", "https://sms provider/send"],
    ["routing.osrmUrl", "http://["],
  ] as const) {
    const problems = problemsOf(given(key, value));
    t.match(problems, [{ key, allowed: /%23/ }], value);
    t.notMatch(new ConfigError(problems).message, /hunter|1234|12/, value);
  }
  for (const [key, value] of [
    ["store.databaseUrl", "postgres://eats:hunter%232@db:5432/eats?sslmode=require"],
    ["store.databaseUrl", "postgresql:///eats?host=%2Frun%2Fpostgresql"],
    ["store.databaseUrl", "postgres://eats:p@ss,w:rd@db/eats"],
    ["redis.url", "rediss://:hunter2@[::1]:6379/0"],
    ["payment.url", "https://user:hunter2@pay.example/v1,2/@scope"],
  ] as const)
    t.doesNotThrow(() => loadConfig({ ...nothing, ...given(key, value) }), value);
});

t.test("R-CLU-2: a lease that a node could not begin with is refused with the other mistakes", async (t) => {
  t.match(problemsOf({ env: { CLUSTER_LEASE_MS: "60000" } }), [{ key: "cluster.leaseMs", allowed: /50000/ }]);
});

t.test("R-OPS-2: secrets are never printed", async (t) => {
  const secret = "correct horse battery staple";
  const config = loadConfig({
    ...nothing,
    env: {
      OPERATOR_SECRET: secret,
      AUTH_PRIVATE_KEY: ED25519,
      DATABASE_URL: "postgres://eats:hunter2@db.internal:5432/eats?password=hunter2",
      REDIS_URL: "redis://:hunter2@cache:6379/0",
    },
  });
  const text = JSON.stringify(printable(config));
  for (const leak of [secret, "BEGIN PRIVATE KEY", "hunter2"]) t.notMatch(text, leak);
  t.match(text, "postgres://db.internal:5432/eats", "what is no secret is shown");
  t.match(printable(config), { auth: { operatorSecret: "[redacted]" }, payment: { url: null } });
  const problems = problemsOf({
    env: { OPERATOR_SECRET: "hunter2", DATABASE_URL: "mysql://eats:hunter2@db", NATS_URL: "hunter2" },
  });
  t.equal(problems.length, 3);
  t.notMatch(new ConfigError(problems).message, "hunter2");
});

t.test("R-OPS-2: a secret may lie in a file", async (t) => {
  const readText = (path: string) => {
    if (path !== "/run/secrets/operator") throw new Error(`EACCES: ${path}`);
    return "0123456789abcdef0123\n";
  };
  const config = loadConfig({ env: { OPERATOR_SECRET_FILE: "/run/secrets/operator" }, readText });
  t.equal(config.auth.operatorSecret, "0123456789abcdef0123", "without the line's end");
  t.match(problemsOf({ env: { AUTH_PRIVATE_KEY_FILE: "/nope" }, readText })[0], {
    key: "auth.privateKey",
    advice: /EACCES/,
  });
});

t.test("R-OPS-2: a child is given nothing that would be a setting of a node", async (t) => {
  const settings = { DATABASE_URL: "postgres://live", OPERATOR_SECRET_FILE: "/x", SWIFT_EATS_CONFIG: "y", PORT: "80" };
  const env = { PATH: "/bin", HOME: "/root", CI: "true", MY_FILE: "z", ...settings };
  t.strictSame(withoutSettings(env, SETTINGS), { PATH: "/bin", HOME: "/root", CI: "true", MY_FILE: "z" });
  t.strictSame(childEnvironment(env), { PATH: "/bin", HOME: "/root" });
});

t.test("R-OPS-2: help and the document name every setting", async (t) => {
  t.ok(asksForHelp(["--port", "1", "--help"]));
  t.notOk(asksForHelp(["--port", "1"]));
  t.match(helpText(), /--port VALUE\s+The port for WebSocket/);
  const document = configurationDocument();
  for (const setting of SETTINGS) {
    t.match(document, `| \`${setting.path.at(-1)}\` |`, setting.key);
    t.ok(setting.description.endsWith("."), `${setting.key} is described by a sentence`);
    t.ok(setting.advice?.endsWith("."), `${setting.key} says what to do`);
  }
});

t.test("R-OPS-2: no two settings share a name", async (t) => {
  const names = SETTINGS.flatMap((setting) => [setting.longEnv, ...(setting.env ?? [])]);
  t.equal(new Set(names).size, names.length);
  const flags = SETTINGS.flatMap((setting) => [setting.key, ...(setting.flags ?? [])]);
  t.equal(new Set(flags).size, flags.length);
});

t.test("the nearest name is the one a person meant", async (t) => {
  t.equal(editDistance("kitten", "sitting"), 3);
  t.equal(editDistance("", "abc"), 3);
  t.equal(nearestName("timescale", ["timeScale", "tokenTtlMs"]), "timeScale");
  t.equal(nearestName("zzz", ["port", "host"]), null);
});

t.test("the schema of all settings is one, by the book that the start does not read", async (t) => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true });
  ajv.addVocabulary([...SETTING_KEYWORDS]);
  t.equal(ajv.validateSchema(ConfigSchema), true, ajv.errorsText());
});
