/** Ports for processes that come and go. */
import { createServer, type Server } from "node:net";
import { randomInteger, systemRandom } from "../../src/lib/random.js";
import { CannotStartCluster } from "./types.js";

/**
 * Below those that the kernel gives to outgoing connections: while a process is down its clients knock at its port, and
 * from the kernel's own range one of them could get that very port, connect to itself, and the process could not
 * come back.
 */
const LOWEST_PORT = 20_000;
const PORTS = 10_000;
/**
 * A process looks in a stretch of its own first: a cluster elsewhere on the machine must not find a port free just
 * because the node that it belongs to is down at this moment.
 */
const STRETCH = 100;
const TRIES = 200;

/** So many different ports that are free now. */
export async function quietPorts(count: number): Promise<number[]> {
  const random = systemRandom();
  const held = new Map<number, Server>();
  try {
    for (let tried = 0; held.size < count; tried++) {
      if (tried >= TRIES + count) throw new CannotStartCluster("There are not enough free ports on the loopback.");
      const isOwn = tried < STRETCH;
      const first = isOwn ? (process.pid * STRETCH) % PORTS : 0;
      const port = LOWEST_PORT + first + randomInteger(random, isOwn ? STRETCH : PORTS);
      const server = held.has(port) ? null : await hold(port);
      if (server !== null) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    // Held until all are found, so that none is found twice.
    await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Whether nobody listens on it. */
export async function isFree(port: number): Promise<boolean> {
  const server = await hold(port);
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  return server !== null;
}

function hold(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
