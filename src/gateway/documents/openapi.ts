/**
 * The HTTP interface as an OpenAPI 3.1 document, made from the tables that serve it: routes, who may, the schemas that
 * validate, the codes and their statuses, the limits. What a gateway does not serve is not in its document.
 */
import type { Json, JsonObject } from "../../lib/json.js";
import {
  COMMAND_REPLIES,
  COMMANDS,
  type CommandType,
  ERRORS,
  type ErrorCode,
  Id,
  IdempotencyKey,
  Millis,
  type Operation,
  Strict,
  type TObject,
  type TSchema,
  Type,
} from "../../protocol/mod.js";
import { type Access, routeAccess } from "../auth/access.js";
import { needsKey } from "../http/operations.js";
import { STATUS } from "../http/problem.js";
import { parametersOf, type Route, routeName, takesBody } from "../http/routes.js";
import type { GatewaySettings } from "../settings.js";
import { PLAIN_ROUTES } from "./reads.js";
import { DocumentSchemas } from "./schemas.js";

export interface OpenApiOptions {
  readonly routes: readonly Route[];
  readonly settings: Pick<GatewaySettings, "version" | "tierRates" | "maxNotAfterMs">;
}

/** A refusal as RFC 9457 has it; `error` repeats what an ERR frame carries. */
const Problem = Strict({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String(),
  error: Strict({
    code: Type.Enum(Object.keys(ERRORS)),
    temporary: Type.Boolean(),
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 0 })),
    detail: Type.Optional(Type.Object({}, { additionalProperties: true })),
  }),
});
const PROBLEM = "application/problem+json";

/** What any kind of route says of itself, before it is written down. */
interface Described {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly pathParameters: Readonly<Record<string, TSchema>>;
  readonly query?: TObject;
  readonly body?: TSchema;
  readonly keyed: boolean;
  readonly isCommand: boolean;
  readonly isSigned: boolean;
  readonly tagged: boolean;
  readonly reply: TSchema;
  readonly contentType: string;
  readonly refusals: readonly ErrorCode[];
}

export function openApiDocument({ routes, settings }: OpenApiOptions): JsonObject {
  const schemas = new DocumentSchemas("2020-12", { Problem });
  schemas.of(Problem);
  const paths: Record<string, Record<string, Json>> = {};
  const tags = new Set<string>();
  const ids = new Map<string, number>();
  for (const route of routes) {
    const described = describe(route);
    tags.add(described.tag);
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = written(route, described, unique(ids, described.id), schemas, settings);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Swift Eats",
      version: settings.version,
      license: { name: "MIT", identifier: "MIT" },
      description:
        "Food delivery, from the search to the door. Every write takes an `Idempotency-Key`: the same key gets the " +
        "same answer. Amounts are integers in minor units of their currency, times are milliseconds since the epoch. " +
        "What is not yours reads as not found. Every GET answers HEAD, too. Refusals are problem documents (RFC 9457) " +
        "with a stable `error.code`; `error.temporary` says whether to try again. Live news comes by WebSocket, " +
        "described at `/asyncapi.json`, or by the event streams below.",
    },
    servers: [{ url: "/" }],
    tags: [...tags].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components(),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token of one principal, which says its role." },
        operator: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "`Operator <secret>`: the node's own secret.",
        },
      },
    },
  } as JsonObject;
}

/** What every error code means, for the page. */
export function errorCatalogue(): readonly { code: ErrorCode; status: number; temporary: boolean; hint: string }[] {
  return (Object.keys(ERRORS) as ErrorCode[]).map((code) => ({ code, status: STATUS[code], ...ERRORS[code] }));
}

/** Two addresses of one thing have two ids. */
function unique(ids: Map<string, number>, id: string): string {
  const count = (ids.get(id) ?? 0) + 1;
  ids.set(id, count);
  return count === 1 ? id : `${id}.${count}`;
}

function describe(route: Route): Described {
  const { target, path } = route;
  const tag = tagOf(path);
  const ordinary: Omit<Described, "id" | "summary" | "reply" | "refusals"> = {
    tag,
    pathParameters: Object.fromEntries(parametersOf(path).map((name) => [name, Id])),
    keyed: false,
    isCommand: false,
    isSigned: false,
    tagged: false,
    contentType: "application/json",
  };
  switch (target.kind) {
    case "command":
      return { ...ordinary, tag, ...describeCommand(target.command, path, target.wrap) };
    case "operation":
      return { ...ordinary, ...describeOperation(target.name, target.operation) };
    case "anyCommand":
    case "gps":
    case "tokens":
    case "read": {
      const name = target.kind === "read" ? target.read : target.kind;
      const { tagged, contentType, ...plain } = PLAIN_ROUTES[name];
      const isCommand = target.kind === "anyCommand";
      return {
        ...ordinary,
        ...plain,
        id: `${tag}.${name}`,
        tagged: tagged ?? false,
        contentType: contentType ?? ordinary.contentType,
        keyed: isCommand,
        isCommand,
        ...(isCommand ? { pathParameters: { type: Type.Enum(Object.keys(COMMANDS)) } } : {}),
      };
    }
  }
}

function tagOf(path: string): string {
  const [, version, area] = path.split("/");
  const known = ["orders", "restaurants", "drivers"];
  if (version === "v1" && area !== undefined && known.includes(area)) return area;
  return area === "gps" ? "drivers" : area === "commands" ? "orders" : "node";
}

function describeCommand(command: CommandType, path: string, wrap: "profile" | undefined) {
  const { summary, reply, refusals } = COMMAND_REPLIES[command];
  const body = COMMANDS[command].body as TObject;
  const inPath = parametersOf(path);
  const pathParameters = Object.fromEntries(inPath.map((name) => [name, body.properties[name] ?? Id]));
  const rest = Object.fromEntries(Object.entries(body.properties).filter(([name]) => !inPath.includes(name)));
  return {
    id: command,
    summary,
    pathParameters,
    body: wrap === undefined ? Strict(rest) : rest[wrap]!,
    keyed: true,
    isCommand: true,
    reply,
    refusals,
  };
}

function describeOperation(name: string, operation: Operation) {
  const { summary, params, query, body, reply, refusals } = operation;
  return {
    id: name,
    tag: name.split(".")[0]!,
    summary,
    pathParameters: Object.fromEntries(
      parametersOf(operation.path).map((each) => [each, params?.properties[each] ?? Id]),
    ),
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
    keyed: needsKey(operation),
    isSigned: operation.signed === true,
    reply,
    refusals: [...(params === undefined ? [] : (["not_found"] as const)), ...(refusals ?? [])],
  };
}

function written(
  route: Route,
  described: Described,
  operationId: string,
  schemas: DocumentSchemas,
  settings: OpenApiOptions["settings"],
): JsonObject {
  const access = routeAccess(routeName(route)) ?? [];
  const { tier } = route;
  const rate = tier === "none" ? null : settings.tierRates[tier];
  const { body } = described;
  return {
    operationId,
    tags: [described.tag],
    summary: described.summary,
    ...(typeof access === "string" ? {} : { "x-roles": access }),
    ...(rate === null ? {} : { "x-rate-limit": { tier, ...rate } }),
    security: securityOf(access),
    parameters: parametersFor(described, schemas, settings.maxNotAfterMs),
    ...(body === undefined
      ? {}
      : { requestBody: { required: isNeeded(body), content: { "application/json": { schema: schemas.of(body) } } } }),
    responses: responsesFor(route, described, access, schemas),
  } as JsonObject;
}

/** An object without required fields may be left out. */
function isNeeded(body: TSchema): boolean {
  const { type, required } = body as { type?: string; required?: readonly string[] };
  return type !== "object" || (required?.length ?? 0) > 0;
}

function securityOf(access: Access): Json {
  if (access === "operator") return [{ operator: [] }];
  return access === "anyone" ? [{}, { token: [] }] : [{ token: [] }];
}

function parametersFor(described: Described, schemas: DocumentSchemas, maxNotAfterMs: number): Json {
  const header = (name: string, required: boolean, schema: TSchema, description: string): JsonObject => ({
    name,
    in: "header",
    required,
    description,
    schema: schemas.of(schema),
  });
  const parameters: JsonObject[] = Object.entries(described.pathParameters).map(([name, schema]) => ({
    name,
    in: "path",
    required: true,
    schema: schemas.of(schema),
  }));
  const { query } = described;
  for (const [name, schema] of Object.entries(query?.properties ?? {})) {
    const isList = (schema as { type?: unknown }).type === "array";
    parameters.push({
      name,
      in: "query",
      required: ((query as { required?: readonly string[] }).required ?? []).includes(name),
      // Lists are written with commas.
      ...(isList ? { style: "form", explode: false } : {}),
      schema: schemas.of(schema as TSchema),
    });
  }
  if (described.keyed) {
    parameters.push(
      header("Idempotency-Key", true, IdempotencyKey, "One for each intention, the same for every retry of it."),
    );
  }
  if (described.isCommand) {
    const hours = Math.round(maxNotAfterMs / 3_600_000);
    parameters.push(
      header("Not-After", false, Millis, `After this moment nothing is done any more. At most ${hours} hours ahead.`),
    );
  }
  if (described.isSigned) {
    parameters.push(header("Swift-Eats-Signature", true, Type.String({ maxLength: 500 }), "Over the body's bytes."));
  }
  if (described.tagged) {
    parameters.push(header("If-None-Match", false, Type.String(), "The ETag of what is known: 304 when unchanged."));
  }
  return parameters;
}

const WRITE_REFUSALS: readonly ErrorCode[] = ["key_reused", "timeout", "unavailable", "overloaded"];
const COMMAND_REFUSALS: readonly ErrorCode[] = [...WRITE_REFUSALS, "expired", "not_owner", "quarantined"];
/** Of reading a body, also where nothing is wanted of it. */
const BODY_REFUSALS: readonly ErrorCode[] = ["malformed", "too_large", "timeout"];

function refusalsOf(route: Route, described: Described, access: Access): ReadonlySet<ErrorCode> {
  const codes = new Set<ErrorCode>(["internal", ...described.refusals]);
  const add = (more: readonly ErrorCode[]): void => {
    for (const code of more) codes.add(code);
  };
  if (access === "operator") add(["unauthenticated", "rate_limited"]);
  else if (access !== "anyone") add(["unauthenticated", "token_expired", "forbidden"]);
  if (route.tier !== "none") add(["rate_limited", "overloaded"]);
  if (described.query !== undefined || described.keyed || described.body !== undefined) add(["invalid"]);
  if (takesBody(route)) add(BODY_REFUSALS);
  if (described.isCommand) add(COMMAND_REFUSALS);
  return codes;
}

function responsesFor(route: Route, described: Described, access: Access, schemas: DocumentSchemas): JsonObject {
  const responses: Record<string, Json> = {
    "200": {
      description: described.contentType === "text/event-stream" ? "A stream of these." : "Done.",
      ...(described.tagged ? { headers: { ETag: { schema: { type: "string" } } } } : {}),
      content: { [described.contentType]: { schema: schemas.of(described.reply) } },
    },
  };
  if (described.tagged) responses["304"] = { description: "Unchanged." };
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of refusalsOf(route, described, access)) {
    const codes = byStatus.get(STATUS[code]) ?? [];
    codes.push(code);
    byStatus.set(STATUS[code], codes);
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const waits = status === 429 || status === 503;
    responses[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].hint}`).join("\n\n"),
      ...(waits ? { headers: { "Retry-After": { schema: { type: "integer" }, description: "Seconds." } } } : {}),
      content: {
        [PROBLEM]: {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Problem" },
              { type: "object", properties: { error: { type: "object", properties: { code: { enum: codes } } } } },
            ],
          },
        },
      },
    };
  }
  return responses as JsonObject;
}
