/**
 * A request for every route, made from the documents: what the schemas take, with ids of the caller's choice. A new
 * operation brings its own.
 */
import { type Access, routeAccess } from "../../src/gateway/auth/access.js";
import { exampleOf } from "../../src/gateway/documents/notation.js";
import { openApiDocument } from "../../src/gateway/documents/openapi.js";
import { ROUTES, type Route, routeName } from "../../src/gateway/http/routes.js";
import { DEFAULT_GATEWAY_SETTINGS as settings } from "../../src/gateway/settings.js";
import type { Json, JsonObject } from "../../src/lib/json.js";

export interface ExampleRequest {
  readonly route: Route;
  /** `GET /v1/orders/:orderId`. */
  readonly name: string;
  readonly access: Access;
  readonly pathParameters: readonly string[];
  /** Whether it needs an idempotency key. */
  readonly keyed: boolean;
  /** Undefined: it takes none. */
  readonly body: Json | undefined;
  /** Path and query; parameters of the path by name, the rest as in the documents' examples. */
  url(ids?: Readonly<Record<string, string>>): string;
}

type Table = Record<string, JsonObject>;

export const DOCUMENT = openApiDocument({ routes: ROUTES, settings }) as unknown as {
  readonly paths: Record<string, Table>;
  readonly components: { readonly schemas: Table };
};
const { schemas } = DOCUMENT.components;

export function operationOf(route: Route): JsonObject {
  return DOCUMENT.paths[route.path.replace(/:(\w+)/g, "{$1}")]![route.method.toLowerCase()]!;
}

export function exampleRequests(): readonly ExampleRequest[] {
  return ROUTES.map((route) => {
    const operation = operationOf(route);
    const parameters = operation.parameters as readonly JsonObject[];
    const inPath = parameters.filter((each) => each.in === "path");
    const query = parameters.filter((each) => each.in === "query" && each.required === true);
    const content = (operation.requestBody as JsonObject | undefined)?.content as Table | undefined;
    const schema = content?.["application/json"]?.schema as JsonObject | undefined;
    const exampleFor = (each: JsonObject): string =>
      String(exampleOf(each.schema as JsonObject, schemas, String(each.name)));
    return {
      route,
      name: routeName(route),
      access: routeAccess(routeName(route)) ?? [],
      pathParameters: inPath.map((each) => String(each.name)),
      keyed: parameters.some((each) => each.name === "Idempotency-Key"),
      body: schema === undefined ? undefined : exampleOf(schema, schemas),
      url(ids = {}) {
        const path = route.path.replace(/:(\w+)/g, (_, name: string) =>
          encodeURIComponent(ids[name] ?? exampleFor(inPath.find((each) => each.name === name)!)),
        );
        const asked = query.map((each) => `${String(each.name)}=${encodeURIComponent(exampleFor(each))}`);
        return asked.length === 0 ? path : `${path}?${asked.join("&")}`;
      },
    };
  });
}
