import t from "tap";
import { type Clock, systemClock } from "../lib/clock.js";
import { recordingLog, silentLog } from "../lib/log.js";
import { createLog } from "./mod.js";

const clock: Clock = { ...systemClock(), now: () => 1_700_000_000_000 };

function writer(level: "debug" | "info" | "warn" | "error" | "silent" = "info") {
  const lines: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const to = {
    write: (line: string): void => {
      raw.push(line);
      lines.push(JSON.parse(line));
    },
  };
  return { log: createLog({ level, node: "node-1", thread: "main", clock, to }), lines, raw };
}

t.test("R-OPS-3: a line is one JSON object with time, level, node, thread and its correlation ids", async (t) => {
  const { log, lines } = writer();
  log.child({ part: "gateway", connId: "c1" }).info({ orderId: "o1" }, "an order was placed");
  t.strictSame(lines, [
    {
      level: "info",
      time: "2023-11-14T22:13:20.000Z",
      node: "node-1",
      thread: "main",
      part: "gateway",
      connId: "c1",
      orderId: "o1",
      message: "an order was placed",
    },
  ]);
});

t.test("R-OPS-3: lines below the level are not made", async (t) => {
  const { log, lines } = writer("warn");
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  t.strictSame(
    lines.map((line) => line.message),
    ["c", "d"],
  );
  const silent = writer("silent");
  silent.log.error({}, "nobody hears this");
  t.strictSame(silent.lines, []);
});

t.test("R-OPS-3, R-ACC-4: tokens, secrets, phones, addresses and positions never reach a line", async (t) => {
  const { log, raw } = writer();
  const token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjdXN0b21lci0xIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
  const fields = {
    token,
    headers: { Authorization: `Bearer ${token}`, "set-cookie": "session=abc123" },
    text: `the token ${token} was refused`,
    frame: { body: { destination: { lat: 40.7128, lng: -74.006, address: "12 Elm Street" }, note: "ring twice" } },
    fixes: [[0, 40.7128, -74.006, 5, -1, -1]],
    driver: { contact: "+1 212 555 0199", phone_number: "+1 212 555 0199" },
    sentence: "called +1 212 555 0199 twice, and wrote to ana.gómez+food@mail.example.com, too",
    url: "postgres://eats:hunter2@db/eats",
    error: new Error("cannot reach postgres://eats:hunter2@db/eats", { cause: new Error(`bad token ${token}`) }),
    pem: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----",
    orderId: "order-1",
  };
  const before = JSON.stringify(fields);
  log.info(fields, "a hostile line");
  const line = raw.join("");
  for (const leak of [
    "eyJ",
    "abc123",
    "40.71",
    "-74.006",
    "Elm",
    "ring",
    "555",
    "gómez",
    "mail.example",
    "hunter2",
    "MC4C",
  ]) {
    t.notMatch(line, leak);
  }
  t.match(line, '"orderId":"order-1"', "what is no secret stays");
  t.match(line, "cannot reach postgres://[redacted]@db/eats");
  t.equal(JSON.stringify(fields), before, "the caller's values are untouched");
});

t.test("R-PRO-5: a line is bounded whatever it is given", async (t) => {
  const { log, raw } = writer();
  const loop: Record<string, unknown> = { name: "loop" };
  loop.self = loop;
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, index]));
  log.info(
    { loop, wide, long: "x".repeat(1_000_000), many: new Array(10_000).fill(1), bytes: new Uint8Array(1e6) },
    "large",
  );
  log.info({ big: 1n, date: new Date(0), map: new Map([["a", 1]]), set: new Set([1]), run: () => 1 }, "odd");
  t.ok(raw[0]!.length < 20_000, `${raw[0]!.length} characters`);
  t.match(JSON.parse(raw[1]!), {
    big: "1",
    date: "1970-01-01T00:00:00.000Z",
    map: { a: 1 },
    set: [1],
    run: "[function]",
  });
});

t.test("the twins of a log keep or drop what they are told", async (t) => {
  const log = recordingLog();
  log.child({ part: "x" }).warn({ n: 1 }, "careful");
  t.strictSame(log.lines, [{ level: "warn", fields: { part: "x", n: 1 }, message: "careful" }]);
  t.equal(silentLog.child({}), silentLog);
});
