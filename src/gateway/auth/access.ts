/**
 * Who may knock at which door, as one table. What is not in it is denied. It owns roles against routes, frames, commands
 * and channels; whether a thing is the caller's own is decided by the actor behind (and answered with `not_found`).
 */
import {
  ACKNOWLEDGED_CHANNELS,
  CHANNELS,
  type ChannelFamily,
  COMMANDS,
  type CommandType,
  OP,
  OPERATIONS,
  ROLES,
  type Role,
} from "../../protocol/mod.js";

/** `anyone` needs no token; `operator` needs the operator secret instead of one. */
export type Access = readonly Role[] | "anyone" | "operator";

const staff = ["support", "admin"] as const satisfies readonly Role[];

/** HTTP routes by method and path; every row of the route table must be here and nothing else may be. */
export const ROUTE_ACCESS: Readonly<Record<string, Access>> = {
  "POST /v1/orders": ["customer"],
  "GET /v1/orders": ["customer"],
  "GET /v1/orders/:orderId": ["customer", "restaurant", ...staff],
  "GET /v1/orders/:orderId/track": ["customer", ...staff],
  "GET /v1/orders/:orderId/dispatch": staff,
  "GET /v1/orders/:orderId/stream": ["customer", ...staff],
  "GET /v1/orders/:orderId/events": ["customer", ...staff],
  "GET /v1/announcements/stream": ROLES,
  "POST /v1/orders/:orderId/cancel": ["customer", "restaurant", ...staff],
  "POST /v1/orders/:orderId/accept": ["restaurant"],
  "POST /v1/orders/:orderId/reject": ["restaurant"],
  "POST /v1/orders/:orderId/preparing": ["restaurant"],
  "POST /v1/orders/:orderId/ready": ["restaurant"],
  "POST /v1/orders/:orderId/assign": staff,
  "POST /v1/orders/:orderId/refund": staff,
  "GET /v1/restaurants": "anyone",
  "GET /v1/restaurants/:restaurantId/menu": "anyone",
  "PUT /v1/restaurants/:restaurantId": ["restaurant", "admin"],
  "POST /v1/restaurants/me/items": ["restaurant"],
  "POST /v1/restaurants/me/items/:itemId": ["restaurant"],
  "POST /v1/restaurants/me/items/:itemId/remove": ["restaurant"],
  "POST /v1/restaurants/me/items/:itemId/options/:groupId/:choiceId": ["restaurant"],
  "POST /v1/restaurants/me/open": ["restaurant"],
  "POST /v1/restaurants/me/hours": ["restaurant"],
  "POST /v1/restaurants/me/categories": ["restaurant"],
  "POST /v1/restaurants/me/pause": ["restaurant"],
  "POST /v1/restaurants/me/resume": ["restaurant"],
  "POST /v1/restaurants/me/tablets/:deviceId": ["restaurant"],
  "POST /v1/restaurants/me/tablets/:deviceId/forget": ["restaurant"],
  "POST /v1/restaurants/:restaurantId/status": ["admin"],
  "POST /v1/drivers/me/online": ["driver"],
  "POST /v1/drivers/me/offline": ["driver"],
  "POST /v1/drivers/me/gps": ["driver"],
  "POST /v1/drivers/me/offers/:offerId/accept": ["driver"],
  "POST /v1/drivers/me/offers/:offerId/decline": ["driver"],
  "POST /v1/drivers/me/orders/:orderId/arrived": ["driver"],
  "POST /v1/drivers/me/orders/:orderId/pickup": ["driver"],
  "POST /v1/drivers/me/orders/:orderId/deliver": ["driver"],
  "POST /v1/drivers/me/orders/:orderId/fail": ["driver"],
  "POST /v1/drivers/me/orders/:orderId/release": ["driver"],
  "POST /v1/gps": ["driver"],
  "GET /v1/drivers/me/work": ["driver"],
  "POST /v1/rooms/:roomId/messages": ["customer", "driver", ...staff],
  "POST /v1/rooms/:roomId/read": ["customer", "driver", ...staff],
  "POST /v1/rooms/:roomId/typing": ["customer", "driver", ...staff],
  "POST /v1/rooms/:roomId/claim": staff,
  "POST /v1/rooms/:roomId/transfer": staff,
  "POST /v1/rooms/:roomId/resolve": ["customer", ...staff],
  "POST /v1/rooms/:roomId/reopen": ["customer", ...staff],
  /** The command's own row says who. */
  "POST /v1/commands/:type": ROLES,
  "POST /v1/tokens": "operator",
  "GET /v1/node": "anyone",
  "GET /livez": "anyone",
  "GET /readyz": "anyone",
  "GET /metrics": "anyone",
  /** Operations bring their own rows. */
  ...Object.fromEntries(Object.values(OPERATIONS).map(({ method, path, access }) => [`${method} ${path}`, access])),
};

/** WebSocket frames by op, once HELLO has been answered; HELLO itself is the only frame before that. */
export const FRAME_ACCESS: Readonly<Record<number, readonly Role[]>> = {
  [OP.sub]: ROLES,
  [OP.unsub]: ROLES,
  [OP.cmd]: ROLES,
  [OP.ack]: ACKNOWLEDGED_CHANNELS.flatMap((family): readonly Role[] => CHANNELS[family].roles),
  [OP.gps]: ["driver"],
  [OP.refresh]: ROLES,
  [OP.pong]: ROLES,
};

export function routeAccess(route: string): Access | null {
  return Object.hasOwn(ROUTE_ACCESS, route) ? ROUTE_ACCESS[route]! : null;
}

export function mayEnter(route: string, role: Role | null): boolean {
  const access = routeAccess(route);
  if (access === null || access === "operator") return false;
  return access === "anyone" || (role !== null && access.includes(role));
}

export function maySend(op: number, role: Role): boolean {
  return Object.hasOwn(FRAME_ACCESS, op) && FRAME_ACCESS[op]!.includes(role);
}

export function mayCommand(type: CommandType, role: Role): boolean {
  const roles: readonly Role[] = COMMANDS[type].roles;
  return roles.includes(role);
}

export function mayListen(family: ChannelFamily, role: Role): boolean {
  const roles: readonly Role[] = CHANNELS[family].roles;
  return roles.includes(role);
}
