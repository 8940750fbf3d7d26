/** What is written for containers, held against what the program really takes. */
import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig, SETTINGS } from "../config/mod.js";
import { ROOT, readText } from "./support/project.js";

const compose = readText("deploy/compose.yaml");
const dockerfile = readText("Dockerfile");
const NODES = ["node-a", "node-b", "node-c"];

/** The lines below `key:`, deeper than it: enough of YAML for a file that we write ourselves. */
function block(text: string, ...keys: readonly string[]): string {
  return keys.reduce((within, key) => {
    const lines = within.split("\n");
    const depthOf = (line: string): number => line.length - line.trimStart().length;
    const from = lines.findIndex((line) => new RegExp(`^\\s*${key}:(\\s|$)`).test(line));
    if (from < 0) throw new Error(`there is no ${key} in:\n${within}`);
    const rest = lines.slice(from + 1);
    const end = rest.findIndex((line) => line.trim() !== "" && depthOf(line) <= depthOf(lines[from]!));
    return (end < 0 ? rest : rest.slice(0, end)).join("\n");
  }, text);
}

function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const match of text.matchAll(/^\s*([A-Z][A-Z0-9_]*):\s+(.+)$/gm))
    found[match[1]!] = match[2]!.replace(/^"(.*)"$/, "$1");
  return found;
}

/** As compose does it: `${NAME}`, `${NAME:-default}`, `${NAME:?what is missing}`. */
function filledIn(value: string, given: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{([A-Z_]+)(?::-([^}]*)|:\?[^}]*)?\}/g,
    (_, name: string, fallback?: string) => given[name] ?? fallback ?? "",
  );
}

const environmentOf = (node: string): Record<string, string> => ({
  ...pairs(block(compose, "x-node-environment")),
  ...pairs(block(compose, "services", node, "environment")),
});

/** As compose reads it: double quotes stand around, and \n in them is the end of a line. */
function readEnvironment(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^([A-Z_]+)=(.*)$/.exec(line);
    if (match === null) continue;
    const quoted = /^"(.*)"$/.exec(match[2]!);
    found[match[1]!] = quoted === null ? match[2]! : quoted[1]!.replaceAll("\\n", "\n");
  }
  return found;
}

t.test(
  "R-OPS-2: the compose file gives nodes only settings that exist, and every one that a cluster needs",
  async (t) => {
    const known = new Set(
      SETTINGS.flatMap(({ env = [], longEnv, secret }) =>
        [...env, longEnv].flatMap((name) => (secret === undefined ? [name] : [name, `${name}_FILE`])),
      ),
    );
    for (const node of NODES) {
      const names = Object.keys(environmentOf(node));
      t.strictSame(
        names.filter((name) => !known.has(name)),
        [],
        node,
      );
      for (const name of ["NODE_ID", "NODE_URL", "DATABASE_URL", "NATS_URL", "REDIS_URL", "PAYMENT_URL"]) {
        t.ok(names.includes(name), `${node} is given ${name}`);
      }
      for (const name of ["OPERATOR_SECRET", "AUTH_PRIVATE_KEY", "ORDER_ID_SECRET"]) t.ok(names.includes(name), name);
      t.equal(environmentOf(node).NODE_ID, node);
    }
    const image = [...dockerfile.matchAll(/^ENV (.+)$/gm)].flatMap((match) => match[1]!.split(" "));
    for (const name of image.map((pair) => pair.split("=")[0]!)) {
      t.ok(name === "NODE_ENV" || known.has(name), `the image's ${name} is a setting`);
    }
  },
);

t.test("the secrets that the script makes start all nodes as one cluster, with room to drain", async (t) => {
  const made = spawnSync("sh", [join(ROOT, "deploy/secrets.sh")], { encoding: "utf8" });
  if (made.error !== undefined || /openssl: (?:command )?not found/.test(made.stderr)) {
    t.comment("openssl is not here: the script is not run");
    return;
  }
  t.equal(made.stderr, "");
  const given = readEnvironment(made.stdout);
  const example = readEnvironment(readText("deploy/env.example"));
  t.strictSame(Object.keys(given).sort(), Object.keys(example).sort(), "the example names what the script makes");
  const asked = new Set([...compose.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]!));
  t.strictSame([...asked].sort(), Object.keys(example).sort(), "and what the compose file asks for");
  t.equal(createPrivateKey(given.AUTH_PRIVATE_KEY!).asymmetricKeyType, "ed25519");

  const graceSeconds = Number(/^ {2}stop_grace_period: (\d+)s$/m.exec(block(compose, "x-node"))?.[1]);
  const ids = new Set<string>();
  const urls = new Set<string>();
  for (const node of NODES) {
    const env = Object.fromEntries(
      Object.entries(environmentOf(node)).map(([name, value]) => [name, filledIn(value, given)]),
    );
    const config = loadConfig({ argv: [], env });
    ids.add(config.node.id);
    urls.add(config.cluster.url ?? "");
    t.equal(config.auth.privateKey, given.AUTH_PRIVATE_KEY);
    t.match(config.store.databaseUrl ?? "", given.POSTGRES_PASSWORD!);
    // What src/main.ts allows the parts of a node beyond the drain.
    t.ok(graceSeconds * 1000 > config.node.drainMs + 20_000, `${node} may finish before it is killed`);
    const port = new URL(config.cluster.url!).port;
    t.match(block(compose, "services", node, "ports"), `127.0.0.1:${port}:8080`, "the address that it tells is open");
  }
  t.equal(ids.size, NODES.length);
  t.equal(urls.size, NODES.length);
});

t.test("R-OPS-1: every server is watched, keeps its data, and every file that is named exists", async (t) => {
  for (const service of ["postgres", "nats", "redis"]) {
    t.match(block(compose, "services", service), /healthcheck:/, service);
    t.match(block(compose, "x-node", "depends_on"), new RegExp(`${service}:\\s+condition: service_healthy`));
  }
  t.match(dockerfile, /^HEALTHCHECK/m, "nodes are watched by the image's own check");
  const volumes = compose.slice(compose.lastIndexOf("\nvolumes:")).match(/^ {2}[\w-]+(?=:$)/gm) ?? [];
  t.ok(volumes.length > 0);
  for (const volume of volumes.map((name) => name.trim())) t.match(compose, `- ${volume}:/`, `${volume} is used`);
  const scripts = [...compose.matchAll(/dist\/(\S+)\.js/g), ...dockerfile.matchAll(/dist\/(\S+?)\.js/g)];
  t.ok(scripts.length >= 2);
  for (const [, script] of scripts) t.ok(existsSync(join(ROOT, `${script}.ts`)), `${script}.ts`);
  t.match(dockerfile, /^USER node$/m, "it does not run as root");
  const ignored = readText(".dockerignore").split("\n");
  for (const name of [".git", "node_modules", "dist", "**/.env"]) t.ok(ignored.includes(name), `${name} stays outside`);
});
