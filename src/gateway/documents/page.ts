/**
 * The interface as one page for people, written from the two documents: routes with a `curl` line each, the socket's
 * frames and channels, the shapes, the error codes. It loads nothing but its own small script, which filters.
 */
import type { JsonObject } from "../../lib/json.js";
import { exampleOf, notation } from "./notation.js";
import { PAGE_STYLE } from "./page-assets.js";

export interface ErrorRow {
  readonly code: string;
  readonly status: number;
  readonly temporary: boolean;
  readonly hint: string;
}

type Table = Readonly<Record<string, JsonObject>>;

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A schema's notation; at the top a named one shows what is in it, further down its name leads there. */
function shape(schema: JsonObject, schemas: Table): string {
  const { $ref } = schema;
  const named = typeof $ref === "string" ? schemas[$ref.slice($ref.lastIndexOf("/") + 1)] : undefined;
  return escapeHtml(notation(named ?? schema)).replace(/\b[A-Z][A-Za-z]+\b/g, (name) =>
    Object.hasOwn(schemas, name) ? `<a href="#shape-${name}">${name}</a>` : name,
  );
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

export function documentsPage(openApi: JsonObject, asyncApi: JsonObject, errors: readonly ErrorRow[]): string {
  const { info, paths, components } = openApi as {
    info: JsonObject;
    paths: Record<string, Table>;
    components: JsonObject;
  };
  const schemas = components.schemas as Table;
  const byTag = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = (operation.tags as readonly string[])[0] ?? "other";
      byTag.set(tag, [...(byTag.get(tag) ?? []), routeSection(method.toUpperCase(), path, operation, schemas)]);
    }
  }
  const sections = [...byTag].map(
    ([tag, routes]) => `<section id="${tag}"><h2>${escapeHtml(tag)}</h2>${routes.join("")}</section>`,
  );
  const links = [...byTag.keys(), "socket", "shapes", "errors"].map((id) => `<a href="#${id}">${escapeHtml(id)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Swift Eats API</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Swift Eats API <small>${escapeHtml(String(info.version))}</small></h1>
<p>${prose(String(info.description))}</p>
<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1) and <a href="/asyncapi.json">/asyncapi.json</a> (AsyncAPI 3).</p>
<label for="filter">Find a route, a frame, a shape or a code</label>
<input id="filter" type="search" autocomplete="off" placeholder="for example: cancel">
<p id="found" role="status"></p>
<nav aria-label="Parts">${links.join(" ")}</nav>
</header>
<main>
${sections.join("\n")}
<section id="socket"><h2>socket</h2>${socketSections(asyncApi)}</section>
<section id="shapes"><h2>shapes</h2>${shapeSections(schemas, ((asyncApi.components as JsonObject).schemas ?? {}) as Table)}</section>
<section id="errors"><h2>errors</h2>
<p>A refusal is a problem document: <code>type</code>, <code>title</code>, <code>status</code>, <code>detail</code>, and <code>error</code> with the code.</p>
<div class="wide"><table><thead><tr><th>code</th><th>HTTP</th><th>again?</th><th>what it means and what to do</th></tr></thead><tbody>
${errors.map((row) => `<tr data-find><td><code>${row.code}</code></td><td>${row.status}</td><td>${row.temporary ? "yes" : "no"}</td><td>${prose(row.hint)}</td></tr>`).join("\n")}
</tbody></table></div></section>
</main>
<script src="/docs/page.js"></script>
</body>
</html>
`;
}

function routeSection(method: string, path: string, operation: JsonObject, schemas: Table): string {
  const id = String(operation.operationId);
  const security = JSON.stringify(operation.security ?? []);
  const who = security.includes("operator")
    ? "operator"
    : security.startsWith("[{}")
      ? "anyone"
      : ((operation["x-roles"] ?? []) as readonly string[]).join(", ");
  const limit = operation["x-rate-limit"] as { tier: string; perMinute: number; burst: number } | undefined;
  const facts = [
    ["who", who],
    ...(limit === undefined ? [] : [["limit", `${limit.tier}: ${limit.perMinute} a minute, ${limit.burst} at once`]]),
  ];
  const parameters = operation.parameters as readonly JsonObject[];
  const body = bodyOf(operation);
  const responses = Object.entries(operation.responses as Table);
  const reply = contentOf(responses[0]?.[1] ?? {});
  return `<details class="route" id="${escapeHtml(id)}" data-find>
<summary><span class="method ${method.toLowerCase()}">${method}</span> <code>${escapeHtml(path)}</code> <span class="says">${prose(String(operation.summary))}</span></summary>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value ?? "")}</dd>`).join("")}</dl>
${
  parameters.length === 0
    ? ""
    : `<h3>Parameters</h3><ul>${parameters
        .map(
          (each) =>
            `<li><code>${escapeHtml(String(each.name))}</code> in ${String(each.in)}${each.required === true ? "" : ", optional"}: <code>${escapeHtml(notation(each.schema as JsonObject))}</code>${each.description === undefined ? "" : ` ${prose(String(each.description))}`}</li>`,
        )
        .join("")}</ul>`
}
${body === null ? "" : `<h3>Body</h3><pre>${shape(body, schemas)}</pre>`}
<h3>Answer</h3><pre>${reply === null ? "nothing" : shape(reply, schemas)}</pre>
<h3>Refusals</h3><ul>${responses
    .filter(([status]) => status >= "4")
    .map(
      ([status, response]) =>
        `<li>${status} ${codesOf(response)
          .map((each) => `<a href="#errors"><code>${each}</code></a>`)
          .join(" ")}</li>`,
    )
    .join("")}</ul>
<h3>By curl</h3><pre class="curl">${escapeHtml(curlOf(method, path, operation, schemas))}</pre>
</details>`;
}

function contentOf(response: JsonObject): JsonObject | null {
  const media = Object.values((response.content ?? {}) as Table)[0];
  return (media?.schema as JsonObject | undefined) ?? null;
}

function bodyOf(operation: JsonObject): JsonObject | null {
  return operation.requestBody === undefined ? null : contentOf(operation.requestBody as JsonObject);
}

function codesOf(response: JsonObject): readonly string[] {
  const [, narrowed] = (contentOf(response)?.allOf ?? []) as readonly JsonObject[];
  const found = JSON.stringify(narrowed ?? {}).match(/"enum":(\[[^\]]*\])/);
  return found === null ? [] : (JSON.parse(found[1]!) as string[]);
}

/** A line that works once `$URL`, `$TOKEN` and the ids are somebody's own. */
export function curlOf(method: string, path: string, operation: JsonObject, schemas: Table): string {
  const parameters = operation.parameters as readonly JsonObject[];
  const example = (each: JsonObject): string =>
    String(exampleOf(each.schema as JsonObject, schemas, String(each.name)));
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(
      example(parameters.find((each) => each.in === "path" && each.name === name) ?? { schema: {}, name }),
    ),
  );
  const query = parameters
    .filter((each) => each.in === "query" && each.required === true)
    .map((each) => `${String(each.name)}=${encodeURIComponent(example(each))}`);
  const security = JSON.stringify(operation.security ?? []);
  const authorization = security.includes("operator")
    ? "authorization: Operator $SECRET"
    : security.startsWith("[{}")
      ? null
      : "authorization: Bearer $TOKEN";
  const body = bodyOf(operation);
  const isStream = JSON.stringify(operation.responses).includes("text/event-stream");
  const parts = [
    `curl -s${isStream ? "N" : ""} ${method === "GET" ? "" : `-X ${method} `}"$URL${address}${query.length === 0 ? "" : `?${query.join("&")}`}"`,
    ...(authorization === null ? [] : [`-H "${authorization}"`]),
    ...parameters
      .filter((each) => each.in === "header" && each.required === true)
      .map(
        (each) => `-H "${String(each.name).toLowerCase()}: ${each.name === "Idempotency-Key" ? "$(uuidgen)" : "…"}"`,
      ),
    ...(body === null
      ? []
      : [
          '-H "content-type: application/json"',
          `-d '${JSON.stringify(exampleOf(body, schemas)).replaceAll("'", "'\\''")}'`,
        ]),
  ];
  return parts.join(" \\\n  ");
}

function socketSections(asyncApi: JsonObject): string {
  const channels = asyncApi.channels as Table;
  const { messages, schemas } = asyncApi.components as unknown as { messages: Table; schemas: Table };
  const socket = channels.socket ?? {};
  const closes = (socket["x-close-codes"] ?? []) as readonly { code: number; name: string; reconnect: boolean }[];
  const sections = Object.entries(channels).map(([name, channel]) => {
    const own = Object.keys((channel.messages ?? {}) as JsonObject).map((key) =>
      messageSection(messages[key] ?? {}, schemas),
    );
    const roles = (channel["x-roles"] ?? []) as readonly string[];
    return `<h3 id="channel-${escapeHtml(name)}">${escapeHtml(String(channel.title))} <code>${escapeHtml(String(channel.address))}</code></h3>
<p>${prose(String(channel.description))}${roles.length === 0 ? "" : ` For: ${roles.join(", ")}.`}</p>${own.join("")}`;
  });
  return `${sections.join("\n")}
<h3>Close codes</h3><p>Below 4500: come back, with growing pauses. From 4500 on: do not.</p>
<div class="wide"><table><thead><tr><th>code</th><th>name</th><th>come back?</th></tr></thead><tbody>
${closes.map(({ code, name, reconnect }) => `<tr data-find><td>${code}</td><td><code>${name}</code></td><td>${reconnect ? "yes" : "no"}</td></tr>`).join("\n")}
</tbody></table></div>`;
}

function messageSection(message: JsonObject, schemas: Table): string {
  const roles = (message["x-roles"] ?? []) as readonly string[];
  return `<details data-find><summary><code>${escapeHtml(String(message.title))}</code> <span class="says">${prose(String(message.summary ?? ""))}</span></summary>
${roles.length === 0 ? "" : `<p>For: ${roles.join(", ")}.</p>`}<pre>${shape(message.payload as JsonObject, schemas)}</pre></details>`;
}

function shapeSections(schemas: Table, more: Table): string {
  const all = { ...more, ...schemas };
  return Object.entries(all)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, schema]) =>
        `<details id="shape-${name}" data-find><summary><code>${name}</code></summary><pre>${shape(schema, all)}</pre></details>`,
    )
    .join("");
}
