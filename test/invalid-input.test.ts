/**
 * Input of every wrong kind, at every place of every request: the examples of the documents, broken by fast-check. What
 * the schemas refuse answers 400 with code, field and hint; whatever comes, the answer is never a fault of ours.
 */
import fc from "fast-check";
import t from "tap";
import { defaultDomainSettings, domainActors } from "../src/actors/domain/mod.js";
import { clock, eventually, type Harness, type HttpReply, startHarness } from "../src/gateway/fixtures/harness.js";
import {
  CLIENT_FRAME_SCHEMAS,
  COMMANDS,
  type CommandType,
  ERRORS,
  isErrorCode,
  OP,
  OPERATIONS,
  ROLES,
  type Role,
  type TSchema,
  validateClientFrame,
  validateCommandBody,
  validateSchema,
} from "../src/protocol/mod.js";
import { inProcessProvider, paymentEffect } from "../src/services/payments/mod.js";
import { type ExampleRequest, exampleRequests } from "./support/example-requests.js";

const RUNS_A_ROUTE = 24;
const UNLIMITED = { perMinute: 1e9, burst: 1e9 };
const tierRates = Object.fromEntries(
  ["browse", "search", "order", "command", "operations", "anonymous", "tokens"].map((tier) => [tier, UNLIMITED]),
) as Record<"browse" | "search" | "order" | "command" | "operations" | "anonymous" | "tokens", typeof UNLIMITED>;

/** What a service says here once the door has found nothing wrong. */
const PASSED = "offer_taken";
const services = Object.fromEntries(
  Object.keys(OPERATIONS).map((name) => [name, () => ({ ok: false as const, code: PASSED })]),
);

async function start(t: { teardown(end: () => unknown): void }): Promise<Harness> {
  const h = await startHarness({
    definitions: domainActors(defaultDomainSettings),
    effects: { payment: paymentEffect(inProcessProvider(() => clock.now())) },
    operations: [services],
    settings: {
      tierRates,
      gpsPerMinute: 1e9,
      gpsBurst: 1e9,
      framesPerMinute: 1e9,
      frameBurst: 1e9,
      maxMistakesPerMinute: 1e9,
    },
  });
  t.teardown(() => h.close());
  return h;
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

const TEXTS = [
  "",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "\u202eevil\u202c",
  "👩‍👩‍👧‍👦".repeat(20),
  "x".repeat(5_000),
  "é".normalize("NFD"),
  "' OR '1'='1'; DROP TABLE actor_snapshot; --",
  "$1; SELECT pg_sleep(10)",
  "<script>alert(1)</script>",
  "{{7*7}}",
  "../../etc/passwd",
  "%00%ff",
  "__proto__",
  "constructor",
  "toString",
  "Mars/Olympus_Mons",
  "Europe/Istanbul ",
  "2026-02-30",
  "25:61",
  "NaN",
  "-0",
];
const NUMBERS = [-1, 0.5, -0, 91, -181, 1e-320, 1e308, -1e308, 2 ** 53, -(2 ** 53), 2 ** 31, 99999999999999];
const OTHERS = [
  null,
  true,
  false,
  [],
  {},
  [[]],
  { "": 1 },
  nested(7),
  nested(40),
  Array.from({ length: 3_000 }, () => 0),
];

const hostile = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS),
  fc.constantFrom<unknown>(...NUMBERS),
  fc.constantFrom<unknown>(...OTHERS),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.jsonValue({ maxDepth: 3 }),
);
const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "extra", "", "a/b~c"];

type Break =
  | { readonly kind: "replace" | "insert"; readonly at: number; readonly value: unknown }
  | { readonly kind: "remove"; readonly at: number }
  | { readonly kind: "name"; readonly at: number; readonly name: string; readonly value: unknown };

const breaks: fc.Arbitrary<Break> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("replace" as const), at: fc.nat(), value: hostile }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), value: hostile }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("name" as const),
      at: fc.nat(),
      name: fc.constantFrom(...NAMES),
      value: hostile,
    }),
  },
);

/** Every place of a value, the whole first: how to look at what is there and put something else. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (value === null || typeof value !== "object") return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => placesOf(each, [...path, key]))];
}

function broken(value: unknown, how: Break): unknown {
  const places = placesOf(value);
  const path = places[how.at % places.length]!;
  const change = (node: unknown, [key, ...rest]: readonly (string | number)[]): unknown => {
    if (key === undefined) return changed(node, how);
    const copy: Record<string, unknown> = Array.isArray(node) ? ([...node] as never) : { ...(node as object) };
    if (rest.length === 0 && how.kind === "remove") {
      if (Array.isArray(copy)) copy.splice(Number(key), 1);
      else delete copy[key];
      return copy;
    }
    copy[key] = change(copy[key], rest);
    return copy;
  };
  return change(value, path);
}

function changed(node: unknown, how: Break): unknown {
  switch (how.kind) {
    case "replace":
      return how.value;
    case "remove":
      return {};
    case "insert":
      return Array.isArray(node) ? [...node, how.value] : [node, how.value];
    case "name": {
      if (node === null || typeof node !== "object" || Array.isArray(node)) return { [how.name]: how.value };
      const copy = { ...node };
      Object.defineProperty(copy, how.name, { value: how.value, enumerable: true, configurable: true, writable: true });
      return copy;
    }
  }
}

function roleOf({ access, route }: ExampleRequest): Role {
  if (typeof access === "string") return "customer";
  return route.target.kind === "anyCommand" ? "customer" : (access[0] ?? "admin");
}

/** Null: the schema takes it. Undefined: it has no schema of its own. */
function judged({ route }: ExampleRequest, body: unknown): { path: string } | null | undefined {
  const { target } = route;
  switch (target.kind) {
    case "operation":
      return target.operation.body === undefined ? undefined : validateSchema(target.operation.body, body);
    case "anyCommand":
      return validateCommandBody("order.place", body);
    default:
      return undefined;
  }
}

function explains(answer: HttpReply): string | null {
  const { error, detail, title } = answer.body ?? {};
  if (!isErrorCode(error?.code ?? "")) return "no code of the catalogue";
  if (typeof detail !== "string" || detail === "" || typeof title !== "string") return "no hint";
  if (error.code !== "invalid") return null;
  if (typeof error.detail?.path !== "string") return "no field";
  if (typeof error.detail?.problem !== "string") return "no problem";
  return detail.includes(error.detail.problem) ? null : "a hint that does not say what is wrong";
}

let keys = 0;

t.test("R-PRO-5: a body broken anywhere is refused with code, field and hint, and breaks nothing", async (t) => {
  const h = await start(t);
  let refused = 0;
  for (const request of exampleRequests().filter(({ body }) => body !== undefined)) {
    const { name, route } = request;
    const operator = request.access === "operator";
    const token = operator ? undefined : h.token(roleOf(request), "r-0001");
    const url = request.url(route.target.kind === "anyCommand" ? { type: "order.place" } : {});
    await fc
      .assert(
        fc.asyncProperty(breaks, async (how) => {
          const body = broken(request.body, how);
          const answer = await h.http(route.method, url, {
            ...(token === undefined ? {} : { token }),
            body: JSON.stringify(body) ?? "",
            headers: {
              ...(operator ? { authorization: "Operator the-operators-secret-for-tests" } : {}),
              ...(request.keyed ? { "idempotency-key": `k-${++keys}` } : {}),
            },
          });
          if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
          if (answer.status >= 400) {
            refused++;
            const missing = explains(answer);
            if (missing !== null) throw new Error(`${missing}: ${answer.text}`);
          }
          const judgement = judged(request, body);
          // What is too deep or too large never gets as far as its schema.
          const early = ["malformed", "too_large"].includes(answer.body?.error?.code);
          if (judgement !== undefined && judgement !== null && !early) {
            if (answer.body?.error?.code !== "invalid")
              throw new Error(`should be refused at ${judgement.path}: ${answer.text}`);
            if (answer.body.error.detail.path !== judgement.path) throw new Error(`another field: ${answer.text}`);
          }
        }),
        { numRuns: RUNS_A_ROUTE, seed: 20261121, endOnFailure: true },
      )
      .then(
        () => t.pass(name),
        (error: unknown) => t.fail(`${name}: ${String(error).slice(0, 1500)}`),
      );
  }
  t.ok(refused > 300, `${refused} were refused`);
  t.same(h.logged, [], "nothing broke inside");
  const { requests, httpStatuses } = h.gateway.stats();
  t.equal(requests, 0, "nothing is left waiting");
  t.same(
    Object.keys(httpStatuses).filter((status) => Number(status) >= 500),
    [],
  );
});

t.test("R-PRO-5: hostile paths, queries and headers are refused or name nothing", async (t) => {
  const h = await start(t);
  const text = fc.oneof(
    fc.constantFrom(...TEXTS, "%", "%zz", "a b", "x".repeat(65), "..", "."),
    fc.string({ unit: "binary", maxLength: 80 }),
  );
  const encoded = (value: string): string =>
    encodeURIComponent(value.replace(/[\ud800-\udfff]/gu, "�")).replaceAll(".", "%2E");
  const header = fc.constantFrom("", " ", "a b", "x".repeat(129), "ü", "-1", "1e99", "0x10", "9".repeat(30), "'; --");
  for (const request of exampleRequests()) {
    if (request.access === "operator") continue;
    const { route, name } = request;
    const isStream = route.target.kind === "read" && route.target.read === "stream";
    const token = h.token(roleOf(request), "x-0001");
    await fc
      .assert(
        fc.asyncProperty(text, fc.array(text, { maxLength: 3 }), header, header, async (id, values, key, notAfter) => {
          const ids = Object.fromEntries(request.pathParameters.map((each) => [each, id]));
          const path = request
            .url()
            .split("?")[0]!
            .split("/")
            .map((part, i) =>
              route.path.split("/")[i]?.startsWith(":") ? encoded(ids[route.path.split("/")[i]!.slice(1)] ?? "") : part,
            )
            .join("/");
          const names = ["lat", "lng", "limit", "before", "cursor", "text", "__proto__", "other"];
          const query = values
            .map((value, i) => `${names[(i + value.length) % names.length]}=${encoded(value)}`)
            .join("&");
          const answer = await h.http(isStream ? "HEAD" : route.method, query === "" ? path : `${path}?${query}`, {
            token,
            ...(request.body === undefined ? {} : { body: request.body }),
            headers: { "idempotency-key": key, "not-after": notAfter },
          });
          if (answer.status >= 500) throw new Error(`${path}?${query}: ${answer.status} ${answer.text}`);
          if (answer.status >= 400 && !isStream) {
            const missing = explains(answer);
            if (missing !== null) throw new Error(`${path}?${query}: ${missing}: ${answer.text}`);
          }
        }),
        { numRuns: 10, seed: 20261121, endOnFailure: true },
      )
      .then(
        () => t.pass(name),
        (error: unknown) => t.fail(`${name}: ${String(error).slice(0, 1500)}`),
      );
  }
  t.same(h.logged, []);
});

t.test("R-PRO-5: bytes that are no JSON are refused as such", async (t) => {
  const h = await start(t);
  const token = h.token("customer", "c1");
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${h.url}/v1/orders`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "idempotency-key": "k",
        "content-type": "application/json",
        ...headers,
      },
      body,
    });
  const bytes: readonly (readonly [string, string | Buffer, number])[] = [
    ["cut off", '{"restaurantId":', 400],
    ["two values", "{}{}", 400],
    ["a comment", "{/**/}", 400],
    ["no number", '{"a":NaN}', 400],
    ["no text of UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400],
    ["deep", `${"[".repeat(30_000)}`, 400],
    ["deep and whole", `${"[".repeat(5_000)}${"]".repeat(5_000)}`, 400],
    ["many", `[${"0,".repeat(10_000)}0]`, 400],
    ["large", `"${"x".repeat(40_000)}"`, 413],
    ["zeros", Buffer.alloc(1_000), 400],
  ];
  for (const [what, body, status] of bytes) {
    const answer = await post(body);
    t.equal(answer.status, status, what);
    const { error } = (await answer.json()) as { error: { code: string } };
    t.ok(Object.hasOwn(ERRORS, error.code), `${what}: ${error.code}`);
  }
  const headers: readonly (readonly [string, string])[] = [
    ["content-type", "application/x-www-form-urlencoded"],
    ["content-type", "application/jsonp"],
    ["content-type", "application/json; charset=utf-16"],
    ["content-type", "text/html;application/json"],
    ["content-encoding", "gzip"],
  ];
  for (const [name, value] of headers) {
    const answer = await post("{}", { [name]: value });
    t.equal(answer.status, 400, value);
    const { error } = (await answer.json()) as { error: { code: string; detail?: { path?: string } } };
    t.same([error.code, error.detail?.path], ["malformed", `/${name}`], `${name}: ${value}`);
  }
  for (const type of ["application/json", "application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"']) {
    const answer = await post("{}", { "content-type": type });
    t.match(await answer.json(), { error: { code: "invalid" } }, type);
  }
  t.same(h.logged, []);
});

const SAMPLES: Readonly<Record<number, readonly unknown[]>> = {
  [OP.sub]: [OP.sub, 1, "order:o1", 1, 1],
  [OP.unsub]: [OP.unsub, 1, "order:o1"],
  [OP.cmd]: [OP.cmd, 1, "key", "order.cancel", { orderId: "o1", reason: "r" }, 0],
  [OP.ack]: [OP.ack, "driver:d1", 1, 1],
  [OP.gps]: [OP.gps, "boot", 0, 1_790_000_000_000, [[0, 1, 1, 1, 1, 1]]],
  [OP.refresh]: [OP.refresh, 1, "token"],
  [OP.pong]: [OP.pong, 1],
};

t.test(
  "R-PRO-5: a frame broken anywhere is refused with its field or ends the socket, and breaks nothing",
  async (t) => {
    const h = await start(t);
    t.strictSame(
      Object.keys(SAMPLES),
      Object.keys(CLIENT_FRAME_SCHEMAS).filter((op) => Number(op) !== OP.hello),
      "every frame",
    );
    for (const codec of ["json", "msgpack"] as const) {
      for (const [op, sample] of Object.entries(SAMPLES)) {
        const role = Number(op) === OP.gps || Number(op) === OP.ack ? "driver" : ROLES[0];
        let socket = await h.connect(role, "d1", { codec });
        let sent = 0;
        await fc
          .assert(
            fc.asyncProperty(breaks, async (how) => {
              const frame = broken(sample, how);
              const verdict = validateClientFrame(JSON.parse(JSON.stringify(frame) ?? "null"));
              const before = socket.frames.length;
              const marker = 2_000_000 + ++sent;
              socket.send(frame);
              socket.send([OP.unsub, marker, "order:marker"]);
              await eventually(
                "an answer or the end",
                () =>
                  socket.isClosed ||
                  socket.frames.slice(before).some((each) => each[0] === OP.reply && each[1] === marker),
              );
              if (socket.isClosed) {
                const { code, reason } = await socket.closed;
                if (code !== 4501) throw new Error(`closed with ${code} ${reason}`);
                socket = await h.connect(role, "d1", { codec });
                return;
              }
              if (verdict.ok) return;
              const refusal = socket.frames.slice(before).find((each) => each[0] === OP.err && each[2] === "invalid");
              const detail = refusal?.[5] as { path?: string; problem?: string } | undefined;
              if (typeof detail?.path !== "string" || typeof detail.problem !== "string") {
                throw new Error(`not refused with its field: ${JSON.stringify(socket.frames.slice(before))}`);
              }
            }),
            { numRuns: 20, seed: 20261121, endOnFailure: true },
          )
          .then(
            () => t.pass(`frame ${op} as ${codec}`),
            (error: unknown) => t.fail(`frame ${op} as ${codec}: ${String(error).slice(0, 1500)}`),
          );
        socket.close();
      }
    }
    t.same(h.logged, []);
  },
);

t.test("R-PRO-5: no command's body passes its schema with a field of the wrong kind", async (t) => {
  for (const request of exampleRequests()) {
    const { target } = request.route;
    const schema: TSchema | undefined = target.kind === "operation" ? target.operation.body : undefined;
    if (schema !== undefined)
      t.equal(validateSchema(schema, request.body), null, `${request.name}: its example is valid`);
  }
  for (const type of Object.keys(COMMANDS) as CommandType[]) {
    for (const value of [null, [], "text", 1, true, Object.create({ orderId: "o1" })]) {
      const problem = validateCommandBody(type, value);
      const isEmptyObject = value !== null && typeof value === "object" && !Array.isArray(value);
      if (!isEmptyObject) t.not(problem, null, `${type} takes no ${JSON.stringify(value)}`);
    }
  }
});
