/** A node that cannot start says why in words that help, ends with status 1, and harms nobody. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { processEnvironment } from "../config/mod.js";
import { OwnNode } from "../simulator/live/mod.js";
import { markDemonstration } from "../src/node/data-directory.js";
import { MAIN_SCRIPT } from "../src/node/node.js";
import { withPostgres } from "../src/store/contract/postgres.js";
import { filesBelow, readText } from "./support/project.js";

const TIMEOUT_MS = 120_000;
const DEMO_SCRIPT = fileURLToPath(new URL("../src/demo.js", import.meta.url));

function directory(t: Test): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-start-")));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs the program until it ends by itself. */
function start(
  t: Test,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  script = MAIN_SCRIPT,
): Promise<{ readonly status: number | null; readonly lastWords: string }> {
  const child: ChildProcess = spawn(process.execPath, [script, ...words], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...processEnvironment(), ...env },
  });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      // The log's lines are JSON; what is meant for a person is not.
      const words = said.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
      resolve({ status, lastWords: words.join("\n") });
    });
  });
}

t.test(
  "R-OPS-1: a second node on the same data, or on the same port, is refused and the first notices nothing",
  { timeout: TIMEOUT_MS },
  async (t) => {
    const dataDir = directory(t);
    // As in the shell of somebody who runs a real node: the one of a run or a test has nothing to do with it.
    const shell = processEnvironment() as Record<string, string>;
    shell.DATABASE_URL = "postgres://127.0.0.1:1/live";
    t.teardown(() => delete shell.DATABASE_URL);
    const first = new OwnNode({ dataDir, timeScale: 1, onRestart: (how) => t.fail(`the first node ended: ${how}`) });
    t.teardown(() => first.stop());
    const { url, operatorSecretFile } = await first.start();
    delete shell.DATABASE_URL;
    const secret = readFileSync(operatorSecretFile, "utf8");

    const sameData = await start(t, ["--port", "0", "--data-dir", dataDir], {
      SWIFT_EATS_AUTH_OPERATOR_SECRET: "another-secret-of-a-node-that-may-not-run",
    });
    t.equal(sameData.status, 1);
    t.match(
      sameData.lastWords,
      new RegExp(`^Swift Eats cannot start: .*used by another running node .*${first.pid}.*--data-dir`),
    );
    t.equal(readFileSync(operatorSecretFile, "utf8"), secret, "its secret is not written over");

    const elsewhere = directory(t);
    const samePort = await start(t, ["--port", new URL(url).port, "--data-dir", elsewhere]);
    t.equal(samePort.status, 1);
    t.match(samePort.lastWords, /^Swift Eats cannot start: Port \d+ is in use: choose another with --port$/);

    t.equal((await fetch(`${url}/readyz`)).ok, true);
  },
);

t.test(
  "R-ACC-2: a demonstration's well-known password is nowhere but in a demonstration",
  { timeout: TIMEOUT_MS },
  async (t) => {
    const dataDir = directory(t);
    markDemonstration(dataDir);
    const onItsData = await start(t, ["--port", "0", "--data-dir", dataDir]);
    t.match([onItsData.status, onItsData.lastWords], [1, /is a demonstration's, in which an admin .*--data-dir/]);
    const refusals: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
      [["--host", "0.0.0.0"], {}, /this machine only.*--host/],
      [[], { DATABASE_URL: "postgres://127.0.0.1:1/eats" }, /database of its own.*DATABASE_URL/],
    ];
    for (const [words, env, why] of refusals) {
      const refused = await start(t, ["--port", "0", "--data-dir", dataDir, ...words], env, DEMO_SCRIPT);
      t.match([refused.status, refused.lastWords], [2, why]);
    }
    const sources = filesBelow(["src", "simulator", "config", "deploy"], (file) => /\.(ts|yaml)$/.test(file));
    const knows = sources.filter((file) => readText(file).includes("demo-people.js"));
    t.same(knows, ["src/demo.ts"], "no other program makes these people");
  },
);

t.test("R-ACC-2: no program puts the operator's secret on a command line, which everybody can read", async (t) => {
  const sources = filesBelow(["src", "simulator", "bench", "deploy"], (file) => /\.(ts|yaml)$/.test(file));
  t.same(
    sources.filter((file) => /["']--operator-secret["'=]/.test(readText(file))),
    [],
    "none is started with it",
  );
  const city = fileURLToPath(new URL("../simulator/live/demo.js", import.meta.url));
  const { status, lastWords } = await start(t, ["--url", "http://127.0.0.1:1"], { OPERATOR_SECRET: "" }, city);
  t.match([status, lastWords], [2, /OPERATOR_SECRET.*--data-dir/], "and none asks for it there");
});

t.test(
  "R-OPS-2: a database that cannot be reached is named with its setting, without its password and without a stack trace",
  { timeout: TIMEOUT_MS },
  async (t) => {
    // A port that was free a moment ago: nobody listens there.
    const probe = createServer();
    const port = await new Promise<number>((resolve) => {
      probe.listen(0, "127.0.0.1", () => {
        const address = probe.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    const { status, lastWords } = await start(t, ["--port", "0", "--data-dir", directory(t)], {
      DATABASE_URL: `postgres://eats:hushhush@127.0.0.1:${port}/eats`,
    });
    t.equal(status, 1);
    t.match(
      lastWords,
      new RegExp(`^Swift Eats cannot start: The database at 127.0.0.1:${port} .*ECONNREFUSED.*DATABASE_URL`),
    );
    t.notMatch(lastWords, /hushhush/);
    t.notMatch(lastWords, /\n/, "one line");
  },
);

t.test(
  "R-OPS-2: a node on a server of somebody's own says where it listens and not how that server is entered",
  { timeout: TIMEOUT_MS },
  async (t) => {
    const { connectionString } = await withPostgres();
    const child = spawn(process.execPath, [MAIN_SCRIPT, "--port", "0", "--data-dir", directory(t)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...processEnvironment(), DATABASE_URL: `${connectionString}&password=hushhush` },
    });
    t.teardown(() => child.kill("SIGKILL"));
    let said = "";
    const listens = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString();
          if (said.includes('"listening"')) resolve();
        });
      }
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await Promise.race([listens, ended]);
    child.kill("SIGTERM");
    t.equal(await ended, 0);
    t.match(said, '"listening":{"url":"http://127.0.0.1:');
    t.notMatch(said, /hushhush/);
  },
);
