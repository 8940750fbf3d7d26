/**
 * Real servers for tests: Redis and NATS on private ports of the loopback, each with a directory of its own, so that any
 * number of test files run side by side. A server's end is by its own process id; when the test's process dies first, the
 * server is stopped too. Where their programs are neither found nor can be installed, Docker runs them.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { processEnvironment } from "../../config/mod.js";
import { type Clock, systemClock } from "../../src/lib/clock.js";
import { type Container, container, dockerAnswers } from "./docker.js";

const run = promisify(execFile);
const clock: Clock = systemClock();

export const SERVERS = {
  redis: {
    program: "redis-server",
    package: "redis-server",
    scheme: "redis",
    ready: /Ready to accept connections/,
    inDocker: { port: 6379, options: ["redis-server", "--save", "", "--appendonly", "no"] },
  },
  nats: {
    program: "nats-server",
    package: "nats-server",
    scheme: "nats",
    ready: /Server is ready/,
    inDocker: { port: 4222, options: ["-js", "-sd", "/data"] },
  },
} as const;
export type ServerName = keyof typeof SERVERS;

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Stops it in order and removes its data. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would; `stop` afterwards removes its data. */
  kill(): Promise<void>;
}

/** A Redis server that keeps nothing on disk. */
export function startRedis(): Promise<RunningServer> {
  return start("redis", (port, directory) => [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory],
    ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
  ]);
}

/**
 * A NATS server with JetStream. Its streams lie in `storeDirectory` when that is given, for the next server to find them
 * there; whoever gives it removes it.
 */
export function startNats(storeDirectory?: string): Promise<RunningServer> {
  return start("nats", (port, directory) => [
    ...["--addr", "127.0.0.1", "--port", String(port)],
    ...["-js", "-sd", storeDirectory ?? directory],
  ]);
}

/** The full path of a server's program, or null when it is not installed. */
export function findProgram(name: ServerName): string | null {
  const places = [...(processEnvironment().PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  return places.map((place) => join(place, SERVERS[name].program)).find((path) => existsSync(path)) ?? null;
}

/** For the options of a test: why it cannot run here, or false. With `CI` set the runner counts a skip as a failure. */
export function missing(name: ServerName): string | false {
  return findProgram(name) === null && !dockerAnswers() ? missingProgram(name) : false;
}

/** The same for a test that needs the program itself. */
export function missingProgram(name: ServerName): string | false {
  return findProgram(name) === null ? `${SERVERS[name].program} is not installed` : false;
}

/**
 * Makes sure that the servers can be started: found on the path, or installed with apt by root on Debian, or run by Docker.
 * Returns what is missing and what to do about it; empty means all are there.
 */
export async function ensureServers(
  names: readonly ServerName[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const absent = names.filter((name) => findProgram(name) === null);
  if (absent.length === 0) return [];
  const packages = absent.map((name) => SERVERS[name].package);
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say(`installing ${packages.join(" and ")} for the tests`);
    await installPackages(packages).catch((error: Error) => say(`apt-get: ${error.message.split("\n")[0]}`));
  }
  return absent
    .filter((name) => missing(name) !== false)
    .map(
      (name) =>
        `${SERVERS[name].program} is not installed. Install it (on Debian: apt-get install ${SERVERS[name].package}), or start Docker, and run the tests again.`,
    );
}

/** By apt, as root on Debian. Rejects with what apt said. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { ...processEnvironment(), DEBIAN_FRONTEND: "noninteractive" };
  // Debian starts a server as soon as it is installed unless a policy forbids it; these would listen on public ports.
  const options = ["-o", "Dpkg::Use-Pty=0", "-y", "--no-install-recommends"];
  const add = () => run("apt-get", ["install", ...options, ...packages], { env: { ...env, RUNLEVEL: "1" } });
  try {
    await add();
  } catch {
    // The lists of packages may be missing or too old to be found under their address.
    await run("apt-get", ["update"], { env });
    await add();
  }
}

const SETPRIV = "/usr/bin/setpriv";
const ATTEMPTS = 5;
/** An image may have to be fetched first. */
const START_MS = 60_000;

async function start(
  name: ServerName,
  words: (port: number, directory: string) => readonly string[],
): Promise<RunningServer> {
  const program = findProgram(name);
  if (program === null && !dockerAnswers()) {
    throw new Error(`${SERVERS[name].program} is not installed; \`npm test\` installs it.`);
  }
  let lastWords = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // The port is free now; when another test takes it first, the server ends and we take the next one.
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), `swift-eats-${name}-`));
    const { inDocker } = SERVERS[name];
    const boxed = program === null ? container(name, port, inDocker.port, inDocker.options) : null;
    const [command, ...options] = boundToUs(boxed?.words ?? [program!, ...words(port, directory)]);
    const child = spawn(command!, options, { stdio: ["ignore", "pipe", "pipe"] });
    const server = running(name, child, port, directory, boxed);
    const said = await untilReady(child, SERVERS[name].ready);
    if (said === null) return server;
    lastWords = said;
    await server.stop();
  }
  throw new Error(`${SERVERS[name].program} did not start in ${ATTEMPTS} attempts. It said:\n${lastWords}`);
}

/** On Linux the kernel ends the server when this process ends, however that happens. */
function boundToUs(words: readonly string[]): readonly string[] {
  return existsSync(SETPRIV) ? [SETPRIV, "--pdeathsig", "KILL", ...words] : words;
}

function running(
  name: ServerName,
  child: ChildProcess,
  port: number,
  directory: string,
  boxed: Container | null,
): RunningServer {
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve()).once("error", () => resolve());
  });
  const alive = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const clean = (): void => rmSync(directory, { recursive: true, force: true });
  const send = (signal: "SIGTERM" | "SIGKILL"): void => {
    if (boxed === null) child.kill(signal);
    else boxed.signal(signal);
  };
  const endWithUs = (): void => {
    if (alive()) send("SIGKILL");
    clean();
  };
  process.once("exit", endWithUs);
  // A test that forgets to stop its server still ends.
  child.unref();
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    if (!alive()) return;
    child.ref();
    send(signal);
    await ended;
  };
  return {
    url: `${SERVERS[name].scheme}://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      await end("SIGTERM");
      process.removeListener("exit", endWithUs);
      clean();
    },
    kill: () => end("SIGKILL"),
  };
}

/** Null once the server says that it is ready; otherwise its last words. */
function untilReady(child: ChildProcess, ready: RegExp): Promise<string | null> {
  return new Promise((resolve) => {
    let text = "";
    const giveUp = clock.after(START_MS, () => resolve(`${text}\n(silent for ${START_MS} ms)`));
    const settle = (result: string | null): void => {
      giveUp();
      resolve(result);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text = (text + chunk).slice(-4000);
        if (ready.test(text)) settle(null);
      });
      (stream as { unref?: () => void } | null)?.unref?.();
    }
    child.once("error", (error) => settle(error.message));
    child.once("exit", () => settle(text));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
