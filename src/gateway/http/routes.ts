/**
 * Every HTTP route, as one table: the method and path, the limit it counts against, the bound on its body, and either the
 * command it stands for or the handler that answers it. Who may call is in `auth/access.ts`, under the same name.
 */
import { type CommandType, OPERATIONS, type Operation } from "../../protocol/mod.js";
import type { Tier } from "../limits/tiers.js";

export type ReadName =
  | "history"
  | "order"
  | "track"
  | "stream"
  | "news"
  | "dispatch"
  | "restaurants"
  | "menu"
  | "work"
  | "node"
  | "live"
  | "ready"
  | "metrics";

export type RouteTarget =
  /** The body is the JSON body with the path's parameters put in; with `profile`, it is put in under that name. */
  | { readonly kind: "command"; readonly command: CommandType; readonly wrap?: "profile" }
  /** Any command by its name, the body as it is. */
  | { readonly kind: "anyCommand" }
  | { readonly kind: "gps" }
  | { readonly kind: "tokens" }
  | { readonly kind: "read"; readonly read: ReadName }
  /** A service answers it. */
  | { readonly kind: "operation"; readonly name: string; readonly operation: Operation };

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly tier: Tier | "none";
  readonly target: RouteTarget;
}

const read = (path: string, name: ReadName, tier: Tier | "none" = "browse"): Route => ({
  method: "GET",
  path,
  tier,
  target: { kind: "read", read: name },
});
const post = (path: string, command: CommandType, tier: Tier = "command"): Route => ({
  method: "POST",
  path,
  tier,
  target: { kind: "command", command },
});

export const ROUTES: readonly Route[] = [
  post("/v1/orders", "order.place", "order"),
  read("/v1/orders", "history"),
  read("/v1/orders/:orderId", "order"),
  read("/v1/orders/:orderId/track", "track"),
  read("/v1/orders/:orderId/dispatch", "dispatch"),
  read("/v1/orders/:orderId/stream", "stream"),
  read("/v1/orders/:orderId/events", "stream"),
  read("/v1/announcements/stream", "news"),
  post("/v1/orders/:orderId/cancel", "order.cancel"),
  post("/v1/orders/:orderId/accept", "order.accept"),
  post("/v1/orders/:orderId/reject", "order.reject"),
  post("/v1/orders/:orderId/preparing", "order.preparing"),
  post("/v1/orders/:orderId/ready", "order.ready"),
  post("/v1/orders/:orderId/assign", "ops.assign"),
  post("/v1/orders/:orderId/refund", "ops.refund"),
  read("/v1/restaurants", "restaurants", "search"),
  read("/v1/restaurants/:restaurantId/menu", "menu"),
  {
    method: "PUT",
    path: "/v1/restaurants/:restaurantId",
    tier: "command",
    target: { kind: "command", command: "restaurant.configure", wrap: "profile" },
  },
  post("/v1/restaurants/me/items", "restaurant.put_item"),
  post("/v1/restaurants/me/items/:itemId", "restaurant.item"),
  post("/v1/restaurants/me/items/:itemId/remove", "restaurant.remove_item"),
  post("/v1/restaurants/me/items/:itemId/options/:groupId/:choiceId", "restaurant.choice"),
  post("/v1/restaurants/me/open", "restaurant.open"),
  post("/v1/restaurants/me/hours", "restaurant.hours"),
  post("/v1/restaurants/me/categories", "restaurant.categories"),
  post("/v1/restaurants/me/pause", "restaurant.pause"),
  post("/v1/restaurants/me/resume", "restaurant.resume"),
  post("/v1/restaurants/me/tablets/:deviceId", "restaurant.tablet"),
  post("/v1/restaurants/me/tablets/:deviceId/forget", "restaurant.forget_tablet"),
  post("/v1/restaurants/:restaurantId/status", "restaurant.status"),
  post("/v1/drivers/me/online", "driver.online"),
  post("/v1/drivers/me/offline", "driver.offline"),
  post("/v1/drivers/me/offers/:offerId/accept", "driver.accept"),
  post("/v1/drivers/me/offers/:offerId/decline", "driver.decline"),
  post("/v1/drivers/me/orders/:orderId/arrived", "driver.arrived"),
  post("/v1/drivers/me/orders/:orderId/pickup", "driver.pickup"),
  post("/v1/drivers/me/orders/:orderId/deliver", "driver.deliver"),
  post("/v1/drivers/me/orders/:orderId/fail", "driver.fail"),
  post("/v1/drivers/me/orders/:orderId/release", "driver.release"),
  { method: "POST", path: "/v1/drivers/me/gps", tier: "none", target: { kind: "gps" } },
  { method: "POST", path: "/v1/gps", tier: "none", target: { kind: "gps" } },
  read("/v1/drivers/me/work", "work"),
  post("/v1/rooms/:roomId/messages", "chat.say"),
  post("/v1/rooms/:roomId/read", "chat.read"),
  post("/v1/rooms/:roomId/typing", "chat.typing"),
  post("/v1/rooms/:roomId/claim", "chat.claim"),
  post("/v1/rooms/:roomId/transfer", "chat.transfer"),
  post("/v1/rooms/:roomId/resolve", "chat.resolve"),
  post("/v1/rooms/:roomId/reopen", "chat.reopen"),
  { method: "POST", path: "/v1/commands/:type", tier: "command", target: { kind: "anyCommand" } },
  { method: "POST", path: "/v1/tokens", tier: "tokens", target: { kind: "tokens" } },
  ...Object.entries(OPERATIONS).map(([name, operation]) => ({
    method: operation.method,
    path: operation.path,
    tier: operation.tier,
    target: { kind: "operation" as const, name, operation },
  })),
  read("/v1/node", "node", "none"),
  read("/livez", "live", "none"),
  read("/readyz", "ready", "none"),
  read("/metrics", "metrics", "none"),
];

export const routeName = (route: Route): string => `${route.method} ${route.path}`;

/** Its body is read, whether the route wants one or not. */
export const takesBody = ({ method }: Route): boolean => method === "POST" || method === "PUT";

/** The names of a path's parameters, in order. */
export function parametersOf(path: string): readonly string[] {
  return path.split("/").flatMap((part) => (part.startsWith(":") ? [part.slice(1)] : []));
}

/** Methods that a path answers, for 405 and OPTIONS; empty when there is no such path. */
export function methodsOf(url: string): readonly string[] {
  const parts = url.split("/");
  const methods = new Set<string>();
  for (const { method, path } of ROUTES) {
    const pattern = path.split("/");
    if (pattern.length !== parts.length) continue;
    if (pattern.every((part, i) => (part.startsWith(":") ? parts[i] !== "" : part === parts[i]))) {
      methods.add(method);
      if (method === "GET") methods.add("HEAD");
    }
  }
  return [...methods];
}
