/**
 * A TCP proxy whose faults are real: it stands between one node and one server, on the loopback.
 *
 * Owns: its listening socket and every connection through it. Invariants: bytes keep their order and none is lost or
 * added while a connection lives, whatever is cut, slowed or healed; a direction that is cut with `drop` passes neither
 * bytes nor the news that its sender has ended; what waits is bounded, because the sender is no longer read.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../../src/lib/clock.js";
import { Flow, type Weather } from "./flow.js";
import type { CutDirection, CutManner, ProxyStats } from "./protocol.js";

export interface CuttableProxy {
  readonly port: number;
  cut(direction: CutDirection, how: CutManner): void;
  slow(delayMs: number): void;
  heal(): void;
  close(): Promise<void>;
  stats(): ProxyStats;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly up: Flow;
  readonly down: Flow;
}

/** Listens on a free port of the loopback and passes everything on to `targetPort`. */
export async function startProxy(targetPort: number, clock: Clock): Promise<CuttableProxy> {
  const up: Weather = { open: true, delayMs: 0, bytes: 0 };
  const down: Weather = { open: true, delayMs: 0, bytes: 0 };
  const pairs = new Set<Pair>();
  /** Accepted while their way was cut: nobody has spoken to the server for them yet. */
  const waiting = new Set<Socket>();
  let resetting = false;
  let connections = 0;

  function join(client: Socket): void {
    const server = connect({ host: "127.0.0.1", port: targetPort, allowHalfOpen: true, noDelay: true });
    const pair: Pair = {
      client,
      server,
      up: new Flow(client, server, up, clock),
      down: new Flow(server, client, down, clock),
    };
    pairs.add(pair);
    let left = 2;
    for (const socket of [client, server]) {
      socket.once("close", () => {
        if (--left === 0) pairs.delete(pair);
      });
    }
  }
  function accept(client: Socket): void {
    connections++;
    if (resetting) {
      // Its end is what was wanted.
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    if (up.open && down.open) {
      join(client);
      return;
    }
    const forget = (): void => void waiting.delete(client);
    waiting.add(client);
    client.once("close", forget).on("error", forget);
  }
  const renew = (): void => {
    for (const { up, down } of pairs) {
      up.look();
      down.look();
    }
  };
  const resetAll = (): void => {
    for (const client of waiting) client.resetAndDestroy();
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  };

  const listener: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The proxy listens without a port.");

  return {
    port: address.port,
    cut(direction, how) {
      resetting = how === "reset";
      if (resetting) {
        resetAll();
        return;
      }
      up.open = direction === "from-server";
      down.open = direction === "to-server";
      renew();
    },
    slow(delayMs) {
      up.delayMs = delayMs;
      down.delayMs = delayMs;
      renew();
    },
    heal() {
      resetting = false;
      for (const weather of [up, down]) {
        weather.open = true;
        weather.delayMs = 0;
      }
      renew();
      for (const client of [...waiting]) {
        waiting.delete(client);
        join(client);
      }
    },
    close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      resetAll();
      return closed;
    },
    stats: () => ({ connections, bytesUp: up.bytes, bytesDown: down.bytes }),
  };
}
