/**
 * Colyseus: a room for each order, which its driver and its customers join. A fix is a message to the room, the room keeps
 * the newest and tells the customers at once. See `bench/peers/README.md`.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, matchMaker, Room, Server, ServerError } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { serveProgram } from "../../harness/serve.js";
import { customerOf } from "../express-socketio/seed.js";
import { type Principal, principalOf } from "../express-socketio/tokens.js";
import type { PositionsPlan, ProgramOptions } from "../ports.js";
import { type Fix, FLEET, fleetRoom, type JoinOptions, MESSAGE } from "./messages.js";

const PING_MS = 25_000;
const FORBIDDEN = 4215;

interface Order {
  readonly orderId: string;
  readonly driverId: string | null;
}

const isFix = (fix: Partial<Fix> | null | undefined): fix is Fix =>
  Number.isSafeInteger(fix?.sequence) &&
  Number.isSafeInteger(fix?.at) &&
  typeof fix?.lat === "number" &&
  Math.abs(fix.lat) <= 90 &&
  typeof fix?.lng === "number" &&
  Math.abs(fix.lng) <= 180;

class OrderRoom extends Room {
  #order: Order = { orderId: "", driverId: null };
  readonly #latest = new Map<string, Fix>();

  override onCreate(order: Order): void {
    this.#order = order;
    this.roomId = order.orderId;
    this.autoDispose = false;
    // There is no synchronised state: a position is told the moment it comes, not with the next patch.
    this.patchRate = 0;
    this.onMessage(MESSAGE.fix, (client: Client, fix: Fix) => this.#moved(client, fix));
  }

  override onAuth(_client: Client, options: JoinOptions): Principal {
    const principal = principalOf(options.token);
    const { orderId, driverId } = this.#order;
    const isFleet = orderId.startsWith(FLEET);
    const isTheirs = isFleet || principal?.id === driverId || principal?.id === customerOf(orderId);
    if (principal === null || !isTheirs) throw new ServerError(FORBIDDEN, "not yours");
    return principal;
  }

  #moved(client: Client, fix: Fix): void {
    const { id, role } = client.auth as Principal;
    if (role !== "driver" || !isFix(fix)) return;
    const last = this.#latest.get(id);
    if (last === undefined || fix.at >= last.at) {
      this.#latest.set(id, fix);
      const { at, lat, lng } = fix;
      if (id === this.#order.driverId) this.broadcast(MESSAGE.position, { at, lat, lng }, { except: client });
    }
    client.send(MESSAGE.taken, fix.sequence);
  }
}

await serveProgram(async ({ plan }: ProgramOptions) => {
  const { driverIds, orderIds } = plan as PositionsPlan;
  const http = createServer();
  const transport = new WebSocketTransport({ server: http, perMessageDeflate: false, pingInterval: PING_MS });
  const server = new Server({ transport, greet: false, gracefullyShutdown: false });
  server.define("order", OrderRoom).filterBy(["driverId"]);
  await server.listen(0, "127.0.0.1");
  for (const [i, orderId] of orderIds.entries())
    await matchMaker.createRoom("order", { orderId, driverId: driverIds[i]! } satisfies Order);
  // More lines than drivers may wait, for `connect`: their rooms are made as they are asked for.
  const made = new Set<string>();
  matchMaker.controller.exposedMethods = ["join", "joinById"];
  const makeFleetRoom = async (roomId: string): Promise<void> => {
    if (made.has(roomId)) return;
    made.add(roomId);
    await matchMaker.createRoom("order", { orderId: roomId, driverId: null } satisfies Order);
  };
  for (let i = 0; i < Math.max(driverIds.length, 20_000); i++) await makeFleetRoom(fleetRoom(i));
  const { address, port } = http.address() as AddressInfo;
  return {
    address: { host: address, port },
    stop: () => server.gracefullyShutdown(false),
  };
});
