/**
 * Everything that is said over sockets, through the Redis adapter as several such processes need it: rooms for tablets,
 * drivers and orders; positions from drivers to the customers of the order they carry; the latest of both in Redis, for
 * polls. Writes to Redis that one turn of the loop makes travel together (auto pipelining).
 */
import type { Redis } from "ioredis";
import type { Server, Socket } from "socket.io";
import type { Inbox } from "./inbox.js";
import type { OrderRow } from "./orders-sql.js";
import { type Principal, principalOf } from "./tokens.js";
import { viewOf } from "./view.js";

const POSITION_SECONDS = 30;
const VIEW_SECONDS = 3_600;
export const FREE_DRIVERS = "drivers:free";

interface Fix {
  readonly sequence: number;
  readonly at: number;
  readonly lat: number;
  readonly lng: number;
}

export interface Live {
  /** A new order: from now on its customer may follow it. */
  opened(order: OrderRow): void;
  view(order: OrderRow): void;
  /** `keptAs`: what the inbox calls it until it is acknowledged. */
  tablet(restaurantId: string, type: string, body: object, keptAs?: number): void;
  driver(driverId: string, type: string, body: object, keptAs?: number): void;
  /** The driver's positions go to this order's customers; null: to nobody. */
  carries(driverId: string, orderId: string | null): void;
  free(driverId: string): void;
  busy(driverId: string): void;
}

const isFix = (fix: unknown): fix is Fix => {
  const { sequence, at, lat, lng } = (fix ?? {}) as Partial<Fix>;
  return (
    Number.isSafeInteger(sequence) &&
    Number.isSafeInteger(at) &&
    typeof lat === "number" &&
    Math.abs(lat) <= 90 &&
    typeof lng === "number" &&
    Math.abs(lng) <= 180
  );
};

/** `inbox`: null where nothing is told that must not be missed. */
export function openLive(
  io: Server,
  redis: Redis,
  customerOf: (orderId: string) => Promise<{ customerId: string; order: OrderRow } | null>,
  inbox: Inbox | null,
): Live {
  const carried = new Map<string, string>();
  const lastFix = new Map<string, Fix>();
  /** Whose position stands among the free drivers'. */
  const waiting = new Set<string>();
  const quietly = (work: Promise<unknown>): void => {
    // The latest position comes again in seconds, a view with the next change.
    work.catch(() => undefined);
  };
  async function join(socket: Socket, recipient: string): Promise<void> {
    await socket.join(recipient);
    if (inbox === null) return;
    socket.on("heard", (id: unknown) => inbox.heard(id));
    await inbox.tellAgain(recipient);
  }
  const say = (recipient: string, type: string, body: object, keptAs?: number): void => {
    io.to(recipient).emit(type, keptAs === undefined ? body : { ...body, keptAs });
  };
  function stand(driverId: string): void {
    const fix = lastFix.get(driverId);
    if (fix !== undefined) quietly(redis.geoadd(FREE_DRIVERS, fix.lng, fix.lat, driverId));
  }
  function moved(driverId: string, fix: unknown, answer: unknown): void {
    if (!isFix(fix) || typeof answer !== "function") return;
    const last = lastFix.get(driverId);
    if (last === undefined || fix.at >= last.at) {
      lastFix.set(driverId, fix);
      const { at, lat, lng } = fix;
      quietly(redis.set(`position:${driverId}`, JSON.stringify({ at, lat, lng }), "EX", POSITION_SECONDS));
      if (waiting.has(driverId)) stand(driverId);
      const orderId = carried.get(driverId);
      if (orderId !== undefined) io.to(`order:${orderId}`).volatile.emit("position", { at, lat, lng });
    }
    answer(fix.sequence);
  }
  async function follow(socket: Socket, customerId: string, orderId: unknown, answer: unknown): Promise<void> {
    if (typeof orderId !== "string" || typeof answer !== "function") return;
    const found = await customerOf(orderId);
    if (found?.customerId !== customerId) {
      answer({ error: "not_found" });
      return;
    }
    await socket.join(`order:${orderId}`);
    answer({ view: viewOf(found.order) });
  }

  io.use((socket, next) => {
    const principal = principalOf((socket.handshake.auth as { readonly token?: unknown }).token);
    if (principal === null) {
      next(new Error("unauthenticated"));
      return;
    }
    socket.data = principal;
    next();
  });
  io.on("connection", (socket) => {
    const { id, role } = socket.data as Principal;
    if (role === "driver") {
      quietly(join(socket, `driver:${id}`));
      socket.on("fix", (fix: unknown, answer: unknown) => moved(id, fix, answer));
    } else if (role === "restaurant") quietly(join(socket, `restaurant:${id}`));
    else {
      socket.on("follow", (orderId: unknown, answer: unknown) => {
        follow(socket, id, orderId, answer).catch(() => socket.disconnect(true));
      });
    }
  });

  return {
    opened: (order) => quietly(redis.set(`view:${order.id}`, JSON.stringify(viewOf(order)), "EX", VIEW_SECONDS)),
    view(order) {
      const view = viewOf(order);
      quietly(redis.set(`view:${order.id}`, JSON.stringify(view), "EX", VIEW_SECONDS));
      io.to(`order:${order.id}`).emit("view", view);
    },
    tablet: (restaurantId, type, body, keptAs) => say(`restaurant:${restaurantId}`, type, body, keptAs),
    driver: (driverId, type, body, keptAs) => say(`driver:${driverId}`, type, body, keptAs),
    carries(driverId, orderId) {
      if (orderId === null) carried.delete(driverId);
      else carried.set(driverId, orderId);
    },
    free(driverId) {
      waiting.add(driverId);
      stand(driverId);
    },
    busy(driverId) {
      waiting.delete(driverId);
      quietly(redis.zrem(FREE_DRIVERS, driverId));
    },
  };
}
