/**
 * Strangers at a real socket: R-PRO-5, rule 16. Together with the decoder's own fuzz (protocol/scan.test.ts) far more
 * than 100,000 hostile frames; one seed, printed first, gives them all again.
 */
import t from "tap";
import { type Random, randomInteger, seededRandom } from "../../lib/random.js";
import { CLOSE, CODECS, ERRORS, OP } from "../../protocol/mod.js";
import { eventually, startHarness, TestSocket } from "../fixtures/harness.js";

const SEED = 20_261_121;
const FRAMES = 110_000;
const MESSAGES = 1_500;
const AT_ONCE = 50;

const VALID: readonly (readonly unknown[])[] = [
  [OP.sub, 1, "order:o1"],
  [OP.sub, 2, "driver:d1", 1, 5],
  [OP.sub, 3, "restaurant:me", 1, 5],
  [OP.unsub, 4, "order:o1"],
  [OP.cmd, 5, "key", "order.cancel", { orderId: "o1", reason: "late" }],
  [
    OP.cmd,
    6,
    "key",
    "order.place",
    {
      restaurantId: "r1",
      lines: [{ itemId: "a", quantity: 1, unitPriceMinor: 5 }],
      destination: { lat: 1, lng: 1 },
      currency: "TRY",
    },
    1_790_000_000_000,
  ],
  [OP.ack, "driver:me", 1, 7],
  [
    OP.gps,
    "boot",
    3,
    1_790_000_000_000,
    [
      [0, 41, 29, 5, -1, -1],
      [900, 41, 29, 5, -1, -1],
    ],
  ],
  [OP.refresh, 8, "token"],
  [OP.pong, 9],
];

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  255,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "x",
  "order:",
  ":",
  "order:o1:o2",
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "é".repeat(200),
  [],
  {},
  [[]],
  [{}],
  { a: { b: {} } },
  { __proto__: 1 },
  { length: 3 },
  "9".repeat(1000),
];

/** One part of a valid frame replaced, removed, doubled or added. */
function mutate(random: Random, value: unknown, depth = 0): unknown {
  if (Array.isArray(value) && value.length > 0) {
    const copy = [...value];
    // The op itself is rarely touched: most frames shall get past it.
    const at =
      depth === 0 ? 1 + randomInteger(random, Math.max(1, copy.length - 1)) : randomInteger(random, copy.length);
    switch (randomInteger(random, 6)) {
      case 0:
        copy.splice(at, 1);
        break;
      case 1:
        copy.splice(at, 0, ODD[randomInteger(random, ODD.length)]);
        break;
      case 2:
        copy.push(copy[at]);
        break;
      default:
        copy[at] = mutate(random, copy[at], depth + 1);
    }
    return copy;
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value);
    const at = randomInteger(random, entries.length + 1);
    const entry = entries[at];
    if (entry === undefined) return { ...value, [`extra${at}`]: ODD[randomInteger(random, ODD.length)] };
    return { ...value, [entry[0]]: mutate(random, entry[1], depth + 1) };
  }
  return ODD[randomInteger(random, ODD.length)];
}

const UNBOUND = { perMinute: 1e9, burst: 1e9 };

t.test(`R-PRO-5: ${FRAMES} wrong frames and ${MESSAGES} wrong messages (seed ${SEED})`, async (t) => {
  const h = await startHarness({
    settings: {
      framesPerMinute: 1e9,
      frameBurst: 1e9,
      maxMistakesPerMinute: 1e9,
      gpsPerMinute: 1e9,
      gpsBurst: 1e9,
      maxOpening: 200,
      tierRates: {
        browse: UNBOUND,
        search: UNBOUND,
        order: UNBOUND,
        command: UNBOUND,
        operations: UNBOUND,
        anonymous: UNBOUND,
        tokens: UNBOUND,
      },
    },
  });
  t.teardown(() => h.close());
  const random = seededRandom(SEED);
  const before = process.memoryUsage().rss;

  t.test("wrong frames, in batches, as every role", async (t) => {
    const roles = ["customer", "driver", "restaurant", "support", "admin"] as const;
    const allowed = new Set<number>([
      OP.reply,
      OP.err,
      OP.subbed,
      OP.state,
      OP.event,
      OP.gpsAck,
      OP.ping,
      OP.welcome,
      OP.tokenExpiring,
    ]);
    const codes = new Set<string>();
    let sent = 0;
    let sockets = 0;
    while (sent < FRAMES) {
      const role = roles[sockets % roles.length]!;
      const codec = CODECS[sockets % 3 === 2 ? "json" : "msgpack"];
      const socket = await h.connect(role, "me", { codec: codec.name });
      sockets++;
      for (let message = 0; message < 40 && !socket.isClosed; message++) {
        const batch: unknown[] = [OP.batch];
        for (let i = 0; i < 60; i++) batch.push(mutate(random, VALID[randomInteger(random, VALID.length)]));
        const bytes = codec.encode(batch);
        if (bytes.length > 16_000) continue;
        sent += batch.length - 1;
        socket.raw(bytes);
      }
      // What is only wrong is answered; what is no frame closed the socket. Either way this gets an end.
      if (!socket.isClosed) socket.send([OP.unsub, 777_777, "order:x"]);
      await Promise.race([
        socket.next((frame) => frame[0] === OP.reply && frame[1] === 777_777).catch(() => {}),
        socket.closed,
      ]);
      for (const frame of socket.frames) {
        if (!allowed.has(frame[0] as number)) t.fail(`an unexpected frame ${JSON.stringify(frame)}`);
        if (frame[0] === OP.err) codes.add(frame[2] as string);
      }
      if (socket.isClosed) t.equal((await socket.closed).code, CLOSE.protocol);
      socket.close();
    }
    t.ok(sent >= FRAMES, `${sent} frames over ${sockets} sockets`);
    for (const code of codes) t.ok(Object.hasOwn(ERRORS, code), `${code} is in the catalogue`);
    for (const code of ["invalid", "forbidden", "unknown_channel"]) t.ok(codes.has(code), code);
    t.notOk(codes.has("internal"), "nothing of it broke us");
  });

  t.test("wrong messages, each at a socket of its own", async (t) => {
    const closes: Record<number, number> = {};
    const good = h.token("customer", "c1");
    const one = async (): Promise<void> => {
      const codec = random.next() < 0.7 ? CODECS.msgpack : CODECS.json;
      const socket = await TestSocket.open(h.port, codec.name);
      if (random.next() < 0.6) socket.send([OP.hello, good, `d${randomInteger(random, 10)}`, "1"]);
      const valid = VALID[randomInteger(random, VALID.length)]!;
      const bytes = Buffer.from(codec.encode(valid) as Uint8Array);
      switch (randomInteger(random, 6)) {
        case 0:
          socket.raw(random.bytes(1 + randomInteger(random, 200)));
          break;
        case 1:
          socket.raw(bytes.subarray(0, randomInteger(random, bytes.length)));
          break;
        case 2:
          socket.raw(new Uint8Array(1 + randomInteger(random, 400)).fill(random.next() < 0.5 ? 0x91 : 0xdc));
          break;
        case 3:
          socket.raw(new Uint8Array(16_385 + randomInteger(random, 80_000)).fill(0xc0));
          break;
        case 4:
          socket.raw("[".repeat(1 + randomInteger(random, 3000)));
          break;
        default: {
          for (let i = 0; i < 3; i++) bytes[randomInteger(random, bytes.length)] = randomInteger(random, 256);
          socket.raw(codec.binary ? bytes : bytes.toString("latin1"));
        }
      }
      socket.send([OP.batch]);
      const { code } = await socket.closed;
      closes[code] = (closes[code] ?? 0) + 1;
    };
    for (let i = 0; i < MESSAGES; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one));
    const ours = new Set<number>([CLOSE.protocol, CLOSE.badToken, CLOSE.replaced, 1006, 1009, 1007, 1002]);
    for (const code of Object.keys(closes))
      t.ok(ours.has(Number(code)), `close code ${code}: ${closes[Number(code)]} times`);
    t.ok((closes[CLOSE.protocol] ?? 0) > MESSAGES / 2, "mostly 4501");
  });

  t.test("afterwards nothing is left, and the gateway answers", async (t) => {
    await eventually("no socket, no subscription", () => {
      const { connections, subscriptions, opening } = h.gateway.stats();
      return connections === 0 && subscriptions === 0 && opening === 0;
    });
    t.equal(h.client.stats().inFlight, 0);
    const grownMebibytes = (process.memoryUsage().rss - before) / 2 ** 20;
    t.ok(
      grownMebibytes < 400,
      `${Math.round(grownMebibytes)} MiB more than before, both sides and everything heard together`,
    );
    const customer = await h.connect("customer", "c1");
    customer.send([OP.cmd, 1, "after", "order.cancel", { orderId: "o1", reason: "r" }]);
    t.match(await customer.op(OP.reply), [OP.reply, 1]);
    t.equal((await h.http("GET", "/livez")).status, 200);
    t.same(
      h.logged.filter((line) => line.startsWith("socket.failed") || line.startsWith("command.failed")),
      [],
    );
    customer.close();
  });
});
