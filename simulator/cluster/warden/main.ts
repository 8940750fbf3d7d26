/**
 * The warden of a local cluster, a process of its own: it runs the servers and nodes and the proxies between them, so
 * that neither outlives the program that wanted the cluster, however that program ends, and so that proxies do not
 * compete with it for its thread. Orders come over the process channel; when the channel closes, everything ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { sleep, systemClock } from "../../../src/lib/clock.js";
import type { FromWarden, ProxyStats, SpawnOrder, ToWarden, WardenAnswer } from "./protocol.js";
import { type CuttableProxy, startProxy } from "./proxy.js";

const STATS_EVERY_MS = 200;
/** After that an orderly last signal has not worked. */
const LAST_WORDS_MS = 6_000;
const LOOK_EVERY_MS = 10;
const SETPRIV = "/usr/bin/setpriv";

const clock = systemClock();
const children = new Map<ChildProcess, SpawnOrder>();
const proxies = new Map<string, CuttableProxy>();
const owned: string[] = [];
let told = "";

function say(message: FromWarden): void {
  // The channel may close at any moment; `disconnect` deals with it.
  if (process.connected) process.send?.(message, () => {});
}

/** On Linux the kernel ends the process even when this one is killed. A server with a prefix of its own has said so itself. */
function bound(words: readonly string[]): readonly string[] {
  return words[0]?.endsWith("setpriv") || !existsSync(SETPRIV) ? words : [SETPRIV, "--pdeathsig", "KILL", ...words];
}

function launch(order: SpawnOrder): Promise<WardenAnswer> {
  const [program, ...rest] = bound(order.words);
  const log = openSync(order.logFile, "a", 0o600);
  const child = spawn(program!, rest, {
    cwd: order.directory,
    env: { ...order.environment },
    // A session of its own: Ctrl-C in the terminal is for the program that runs the cluster, which ends it in order.
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  children.set(child, order);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      children.delete(child);
      reject(error);
    });
    child.once("spawn", () => resolve({ pid: child.pid! }));
    child.once("exit", (status, signal) => {
      children.delete(child);
      say({ exit: child.pid!, status, signal });
    });
  });
}

function proxyOf(name: string): CuttableProxy {
  const proxy = proxies.get(name);
  if (proxy === undefined) throw new Error(`There is no proxy ${name}.`);
  return proxy;
}

async function obey(order: ToWarden): Promise<WardenAnswer> {
  switch (order.do) {
    case "spawn":
      return launch(order.order);
    case "listen": {
      const proxy = await startProxy(order.targetPort, clock);
      proxies.set(order.proxy, proxy);
      return { port: proxy.port };
    }
    case "cut":
      proxyOf(order.proxy).cut(order.direction, order.how);
      return {};
    case "slow":
      proxyOf(order.proxy).slow(order.delayMs);
      return {};
    case "heal":
      proxyOf(order.proxy).heal();
      return {};
    case "close":
      await proxyOf(order.proxy).close();
      return {};
    case "own":
      owned.push(order.directory);
      return {};
  }
}

process.on("message", (order: ToWarden) => {
  obey(order).then(
    (result) => {
      report();
      say({ answer: order.ask, result });
    },
    (error: unknown) => say({ answer: order.ask, error: error instanceof Error ? error.message : String(error) }),
  );
});

/** Says how the proxies are used, when that has changed. */
function report(): void {
  const stats: Record<string, ProxyStats> = {};
  for (const [name, proxy] of proxies) stats[name] = proxy.stats();
  const text = JSON.stringify(stats);
  if (text === told) return;
  told = text;
  say({ stats });
}
clock.every(STATS_EVERY_MS, report);

async function endAll(): Promise<void> {
  for (const [child, { lastSignal }] of children) child.kill(lastSignal);
  const patienceEnds = clock.monotonic() + LAST_WORDS_MS;
  while (children.size > 0) {
    await sleep(clock, LOOK_EVERY_MS);
    if (clock.monotonic() > patienceEnds) for (const child of children.keys()) child.kill("SIGKILL");
  }
  for (const directory of owned) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  process.exit(0);
}
if (process.connected) process.once("disconnect", () => void endAll());
// The program was gone before we could listen.
else void endAll();
