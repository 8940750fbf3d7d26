/**
 * One small set of exchanges with a whole gateway, seen from its clients: the same over the native server and over its twin
 * in virtual time. The engine behind is the real one, with actors that do what the test says.
 */
import type { Test } from "tap";
import { seededRandom } from "../../lib/random.js";
import { CLOSE, CODECS, MAX_FRAME_BYTES, OP, type Role, SERVER_FRAME_LIMITS, SOCKET_PATH } from "../../protocol/mod.js";
import { GATEWAY_ENDPOINT, startEngine } from "../fixtures/engine.js";
import { ORDER, trackingOf } from "../fixtures/harness.js";
import { createGateway, createTokens, type Gateway, type GatewaySettings, generateTokenKey } from "../mod.js";
import type { HeardSocket, MakeSubject, NativeSubject } from "./native.contract.js";

const CLOSED_BY_LINE = 1006;
const codec = CODECS.msgpack;
type Frame = readonly unknown[];

interface GatewayUnderTest extends NativeSubject {
  readonly gateway: Gateway;
  readonly origin: string;
  token(role: Role, id: string): string;
  /** Opens, says HELLO, waits for WELCOME. */
  connect(role: Role, id: string): Promise<HeardSocket>;
  tell(kind: string, key: string, name: string, input: unknown): Promise<unknown>;
}

function framesOf(socket: HeardSocket): Frame[] {
  return socket.heard.map((data) => {
    const decoded = codec.decode(data as Uint8Array, SERVER_FRAME_LIMITS);
    if (!decoded.ok) throw new Error(decoded.problem);
    return decoded.value as Frame;
  });
}

const say = (socket: HeardSocket, ...frame: Frame): void => socket.send(codec.encode(frame));

async function start(t: Test, make: MakeSubject, settings: Partial<GatewaySettings> = {}): Promise<GatewayUnderTest> {
  const subject = await make(t);
  const { clock } = subject;
  const logged: string[] = [];
  const engine = await subject.settle(startEngine({ clock, logged: (message) => void logged.push(message) }));
  const key = generateTokenKey("k1");
  const tokens = createTokens({ keys: [key], clock, maxCached: 10 });
  let gateway: Gateway | null = null;
  const { origin } = await subject.open((app) => {
    gateway = createGateway({
      app,
      id: GATEWAY_ENDPOINT,
      client: engine.client,
      clock,
      random: seededRandom(1),
      auth: { keys: [key], operatorSecret: "", orderIdSecret: "order-ids-in-tests" },
      index: engine.store,
      mirrorCopy: engine.mirrorCopy,
      mirror: engine.mirror,
      settings,
    });
  });
  const opened = gateway as Gateway | null;
  if (opened === null) throw new Error("no gateway");
  t.teardown(async () => {
    opened.close();
    await subject.settle(engine.close());
  });
  const token = (role: Role, id: string): string => tokens.issue({ role, id }, 3_600);
  let commands = 0;
  return {
    ...subject,
    gateway: opened,
    origin,
    token,
    async connect(role, id) {
      const socket = subject.socket(origin.replace("http", "ws") + SOCKET_PATH, [codec.subprotocol]);
      await subject.until("open", () => socket.isOpen);
      say(socket, OP.hello, token(role, id), "device-1", "1.0.0");
      await subject.until("welcome", () => framesOf(socket)[0]?.[0] === OP.welcome);
      return socket;
    },
    async tell(kind, to, name, input) {
      const caller = { id: "test", role: "test" };
      const commandId = `test-${++commands}`;
      const result = await subject.settle(engine.client.ask({ kind }, to, name, input, { commandId, caller }));
      if (!result.ok) throw new Error(`${kind}.${name}: ${result.error.code}`);
      return result.value;
    },
  };
}

export async function gatewayContract(t: Test, make: MakeSubject): Promise<void> {
  await t.test("strangers: no subprotocol, no HELLO in time, a bad token, bytes that are none", async (t) => {
    const g = await start(t, make, { helloTimeoutMs: 600 });
    const url = g.origin.replace("http", "ws") + SOCKET_PATH;
    const refused = g.socket(url, ["unknown"]);
    await g.until("refused", () => refused.over !== null);
    t.equal(refused.over?.code, CLOSED_BY_LINE);
    const silent = g.socket(url, [codec.subprotocol]);
    await g.until("given up", () => silent.over !== null);
    t.equal(silent.over?.code, CLOSE.helloTimeout);
    for (const [frame, code] of [
      [[OP.hello, "no.token.this", "device-1", "1.0.0"], CLOSE.badToken],
      [[OP.sub, 1, "order:o1"], CLOSE.protocol],
    ] as const) {
      const socket = g.socket(url, [codec.subprotocol]);
      await g.until("open", () => socket.isOpen);
      say(socket, ...frame);
      await g.until("closed", () => socket.over !== null);
      t.equal(socket.over?.code, code);
    }
    await g.until("all are gone", () => g.gateway.stats().sockets === 0);
  });

  await t.test("a batch is answered frame by frame; a frame that is too large ends the socket", async (t) => {
    const g = await start(t, make);
    const socket = await g.connect("driver", "d1");
    t.match(framesOf(socket)[0], [OP.welcome, String, Number, Number, Number, { maxFrameBytes: 16_384 }]);
    say(
      socket,
      OP.batch,
      [OP.sub, 1, "driver:d1"],
      [OP.cmd, 2, "key-1", "driver.offline", {}],
      [OP.cmd, 3, "key-2", "order.place", ORDER],
      [OP.gps, "boot-1", 0, 1_000, [[0, 41, 29, 5, -1, -1]]],
    );
    const ops = (): unknown[] => framesOf(socket).map((frame) => frame[0]);
    await g.until("five answers", () => socket.heard.length === 6);
    t.strictSame(ops().sort(), [OP.welcome, OP.reply, OP.err, OP.subbed, OP.state, OP.gpsAck].sort());
    t.match(
      framesOf(socket).find((frame) => frame[0] === OP.err),
      [OP.err, 3, "forbidden"],
    );
    say(socket, OP.cmd, 4, "key-3", "driver.decline", { offerId: "x".repeat(MAX_FRAME_BYTES) });
    await g.until("closed", () => socket.over !== null);
    t.equal(socket.over?.code, CLOSE.protocol);
    const other = await g.connect("driver", "d1");
    other.send(new Uint8Array(5 * MAX_FRAME_BYTES));
    await g.until("cut", () => other.over !== null);
    t.equal(other.over?.code, CLOSED_BY_LINE);
  });

  await t.test("who reads too slowly is closed, hears why, and resumes without gap or repeat", async (t) => {
    const g = await start(t, make, { reliableBacklogBytes: 64 * 1024 });
    const slow = await g.connect("driver", "d1");
    say(slow, OP.sub, 1, "driver:d1");
    await g.until("subscribed", () => slow.heard.length === 3);
    g.readAll(false);
    let pushed = 0;
    while (g.gateway.stats().sockets > 0 && pushed < 400) {
      await g.tell("driver", "d1", "push", { count: 16, padding: 64 * 1024 });
      pushed += 16;
    }
    t.equal(g.gateway.stats().sockets, 0);
    t.strictSame(g.gateway.stats().closes, { [CLOSE.slow]: 1 });
    g.readAll(true);
    await g.until("told", () => slow.over !== null);
    t.equal(slow.over?.code, CLOSE.slow);
    const offsets = framesOf(slow)
      .filter((frame) => frame[0] === OP.event)
      .map((frame) => frame[2]);
    t.ok(offsets.length < pushed, "not all had left");
    t.strictSame(
      offsets,
      Array.from({ length: offsets.length }, (_, i) => i + 1),
    );
  });

  await t.test("by HTTP: bodies, bounds, refusals, polls that did not change", async (t) => {
    const g = await start(t, make, { maxBodyBytes: 2_000 });
    const headers = { authorization: `Bearer ${g.token("customer", "c1")}`, "content-type": "application/json" };
    const ask = async (
      method: string,
      path: string,
      more: { body?: string; headers?: Record<string, string> } = {},
    ) => {
      const init = { method, headers: { ...headers, ...more.headers }, ...(more.body ? { body: more.body } : {}) };
      const answer = await g.settle(g.fetch(g.origin + path, init));
      const text = await g.settle(answer.text());
      return { ...answer, text, body: text === "" ? null : JSON.parse(text) };
    };
    const key = { "idempotency-key": "k-1" };
    const cancelled = await ask("POST", "/v1/orders/o1/cancel", { body: '{"reason":"why not"}', headers: key });
    t.equal(cancelled.status, 200);
    t.match(cancelled.body, { key: "o1", input: { reason: "why not" } });
    const again = await ask("POST", "/v1/orders/o1/cancel", { body: '{"reason":"why not"}', headers: key });
    t.strictSame(again.body, cancelled.body);
    const large = await ask("POST", "/v1/orders/o1/cancel", {
      body: `{"reason":"${"y".repeat(9_000)}"}`,
      headers: key,
    });
    t.equal(large.status, 413);
    t.equal((await ask("POST", "/v1/orders/o1/cancel", { body: "{", headers: key })).status, 400);
    t.equal((await ask("GET", "/v1/orders", { headers: { authorization: "Bearer no" } })).status, 401);
    t.equal((await ask("GET", "/nowhere")).status, 404);
    t.equal((await ask("DELETE", "/v1/orders")).status, 405);
    await g.tell("order", "o1", "show", { tracking: trackingOf("o1", 3, "ready"), viewFirst: true });
    const poll = await ask("GET", "/v1/orders/o1/track");
    t.equal(poll.body.view.version, 3);
    const etag = poll.header("etag") ?? "";
    t.equal((await ask("GET", "/v1/orders/o1/track", { headers: { "if-none-match": etag } })).status, 304);
  });

  await t.test("a stream shows what changes until its reader leaves", async (t) => {
    const g = await start(t, make);
    const show = (version: number): Promise<unknown> =>
      g.tell("order", "o1", "show", { tracking: trackingOf("o1", version, "ready"), viewFirst: true });
    await show(1);
    const leave = new AbortController();
    const headers = { authorization: `Bearer ${g.token("customer", "c1")}`, accept: "text/event-stream" };
    const answer = await g.settle(
      g.fetch(`${g.origin}/v1/orders/o1/events`, { method: "GET", headers, signal: leave.signal }),
    );
    t.equal(answer.status, 200);
    t.equal(answer.header("content-type"), "text/event-stream");
    let text = "";
    const reading = (async () => {
      for (;;) text += await answer.first();
    })().catch((error: Error) => error.name);
    await g.until("the first view", () => text.includes('"version":1'));
    await show(2);
    await g.until("the next", () => text.includes('"version":2'));
    t.match(text, /^retry: \d+\n\nid: 1\ndata: \{.*\}\n\nid: 2\ndata: /s);
    leave.abort();
    t.equal(await g.settle(reading), "AbortError");
    await g.until("forgotten", () => g.gateway.stats().streams === 0);
  });
}
