/** The routes of Express, in the shape that ours have. */
import { Ajv } from "ajv";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { Dispatch } from "./dispatch.js";
import { openReads } from "./reads.js";
import { type KitchenStep, type PlaceBody, type Refusal, Refused, type Shop } from "./shop.js";
import { type Principal, principalOf, type Role } from "./tokens.js";
import { viewOf } from "./view.js";

const STATUS: Readonly<Record<Refusal | "unauthenticated" | "forbidden" | "internal", number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  key_reused: 422,
  restaurant_closed: 409,
  price_changed: 409,
  item_unavailable: 409,
  illegal_transition: 409,
  offer_expired: 410,
  driver_busy: 409,
  internal: 500,
};
const CREATED = 201;

const ajv = new Ajv({ allErrors: false, strict: true });
const text = { type: "string", minLength: 1, maxLength: 64 } as const;
const minor = { type: "integer", minimum: 0, maximum: 100_000_000 } as const;
const latitude = { type: "number", minimum: -90, maximum: 90 } as const;
const longitude = { type: "number", minimum: -180, maximum: 180 } as const;
const object = (properties: object, optional: readonly string[] = []) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
});
const isPlaceBody = ajv.compile<PlaceBody>(
  object(
    {
      restaurantId: text,
      lines: {
        type: "array",
        minItems: 1,
        maxItems: 50,
        items: object({
          itemId: text,
          quantity: { type: "integer", minimum: 1, maximum: 99 },
          unitPriceMinor: minor,
        }),
      },
      destination: object({ lat: latitude, lng: longitude }),
      currency: { type: "string", pattern: "^[A-Z]{3}$" },
      note: { type: "string", maxLength: 300 },
    },
    ["note"],
  ),
);
interface OnlineBody {
  readonly name: string;
  readonly vehicle: string;
}
const isOnlineBody = ajv.compile<OnlineBody>(object({ name: text, vehicle: text }));

type Handler = (request: Request, principal: Principal) => Promise<unknown>;

export function openHttp(parts: {
  readonly shop: Shop;
  readonly dispatch: Dispatch;
  readonly pool: Pool;
  readonly redis: Redis;
  readonly reads: Parameters<typeof openReads>[1];
}): Express {
  const { shop, dispatch, pool, redis } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  // First, because they are asked most.
  app.use(openReads({ pool, redis }, parts.reads));
  app.use(express.json({ limit: "16kb" }));

  const refuse = (response: Response, code: keyof typeof STATUS): void => {
    response.status(STATUS[code]).json({ title: code, error: { code, temporary: code === "internal" } });
  };
  /** Answers with what the handler resolves to. */
  const by =
    (role: Role, handle: Handler, isNew = false) =>
    (request: Request, response: Response, next: NextFunction): void => {
      const [scheme, token] = (request.headers.authorization ?? "").split(" ");
      const principal = scheme === "Bearer" ? principalOf(token) : null;
      if (principal === null) refuse(response, "unauthenticated");
      else if (principal.role !== role) refuse(response, "forbidden");
      else {
        handle(request, principal).then((value) => {
          if (isNew) response.status(CREATED);
          response.json(value);
        }, next);
      }
    };
  /** A command without a key of its own is told apart by what it asks for. */
  const keyOf = (request: Request): string => String(request.headers["idempotency-key"] ?? request.path);
  const idIn = (request: Request, name = "orderId"): string => String(request.params[name]);

  app.post(
    "/v1/orders",
    by(
      "customer",
      (request, { id }) => {
        const key = request.headers["idempotency-key"];
        if (typeof key !== "string" || key.length > 128 || !isPlaceBody(request.body)) throw new Refused("invalid");
        return shop.place(id, key, request.body);
      },
      true,
    ),
  );
  app.get(
    "/v1/orders/:orderId",
    by("customer", async (request, { id }) => {
      const order = await shop.order(idIn(request));
      if (order?.customer_id !== id) throw new Refused("not_found");
      return viewOf(order);
    }),
  );
  for (const step of ["accept", "reject", "preparing", "ready"] as const satisfies readonly KitchenStep[])
    app.post(
      `/v1/orders/:orderId/${step}`,
      by("restaurant", (request, { id }) => shop.kitchen(step, idIn(request), id, keyOf(request))),
    );
  app.post(
    "/v1/drivers/me/online",
    by("driver", async (request, { id }) => {
      if (!isOnlineBody(request.body)) throw new Refused("invalid");
      await dispatch.online({ id, ...request.body });
      return {};
    }),
  );
  app.post(
    "/v1/drivers/me/offers/:offerId/accept",
    by("driver", (request, { id }) => dispatch.accept(idIn(request, "offerId"), id, keyOf(request))),
  );
  app.post(
    "/v1/drivers/me/orders/:orderId/pickup",
    by("driver", (request, { id }) => shop.pickUp(idIn(request), id, keyOf(request))),
  );
  app.post(
    "/v1/drivers/me/orders/:orderId/deliver",
    by("driver", (request, { id }) => shop.deliver(idIn(request), id, keyOf(request))),
  );
  app.use((_request, response) => refuse(response, "not_found"));
  app.use((cause: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (cause instanceof Refused) refuse(response, cause.code);
    else if ((cause as { readonly type?: string }).type?.startsWith("entity.") === true) refuse(response, "invalid");
    else {
      process.stderr.write(`express-socketio: ${String(cause)}\n`);
      refuse(response, "internal");
    }
  });
  return app;
}
