/** What can happen to a device's lines and to the node behind them, seen from both ends. */
import t from "tap";
import type { SocketLike } from "../../../sdk/mod.js";
import type { NativeApp } from "../../../src/gateway/mod.js";
import { createScheduler } from "../time/scheduler.js";
import { createStreams } from "../time/streams.js";
import { createTrace } from "../trace/trace.js";
import { createTransport, type Device } from "./mod.js";

const START_AT = 1_800_000_000_000;
const ORIGIN = "http://n1.example";
const LONG_MS = 300_000;
const IDLE_SECONDS = 120;

interface Heard {
  readonly socket: SocketLike;
  readonly messages: string[];
  isOpen: boolean;
  code: number | null;
}

function world(seed = 1) {
  const scheduler = createScheduler(seed, START_AT);
  const faults: string[] = [];
  const trace = createTrace({ now: () => scheduler.now });
  const transport = createTransport({
    scheduler,
    streams: createStreams(seed),
    trace,
    faults: { happened: (kind) => void faults.push(kind) },
  });
  let lives = 0;
  const saw: string[] = [];
  const start = () => {
    const life = `n1-${++lives}`;
    const process = { node: "n1", life, clock: scheduler.process(life) };
    serve(transport.open(process, ORIGIN), life, saw);
    return process;
  };
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    if (!(await scheduler.until(isSo, scheduler.now + LONG_MS))) throw new Error(`never: ${what}`);
  };
  const pass = (ms: number) => scheduler.until(() => false, scheduler.now + ms);
  const device = (name = "phone") => transport.device(name, scheduler.process(name));
  return { scheduler, transport, trace, faults, saw, start, until, pass, device };
}

/** Answers every text with the same; writes down what comes. */
function serve(app: NativeApp, life: string, saw: string[]): void {
  app.ws("/ws", {
    idleTimeout: IDLE_SECONDS,
    maxBackpressure: 1_000_000,
    upgrade: (res, req, context) => res.upgrade({}, req.getHeader("sec-websocket-key"), "p", "", context),
    open: () => void saw.push(`${life} open`),
    message(ws, message) {
      const text = Buffer.from(message).toString();
      saw.push(`${life} ${text}`);
      if (text.startsWith("flood")) for (let i = 0; i < 100; i++) ws.send("x".repeat(1_000), false);
      else ws.send(`echo ${text}`, false);
    },
    drain: () => void saw.push(`${life} drain`),
    close: (_ws, code) => void saw.push(`${life} close ${code}`),
  });
  app.get("/hello", (res) => void res.end("hello"));
}

function open(device: Device): Heard {
  const socket = new device.WebSocket("ws://n1.example/ws", ["p"]);
  const heard: Heard = { socket, messages: [], isOpen: false, code: null };
  socket.onopen = () => {
    heard.isOpen = true;
  };
  socket.onmessage = ({ data }) => void heard.messages.push(data as string);
  socket.onclose = ({ code }) => {
    heard.isOpen = false;
    heard.code = code;
  };
  return heard;
}

t.test("R-SIM-2: a signal that comes back with the same address brings what was held, in order", async (t) => {
  const { start, device, until, pass, saw } = world();
  start();
  const phone = device();
  const heard = open(phone);
  await until("open", () => heard.isOpen);
  phone.lose();
  t.throws(() => new phone.WebSocket("ws://n1.example/ws", ["p"]), /no signal/);
  await t.rejects(phone.fetch(`${ORIGIN}/hello`, { method: "GET", headers: {} }), TypeError);
  for (const text of ["a", "b", "c"]) heard.socket.send(text);
  await pass(20_000);
  t.strictSame(saw, ["n1-1 open"]);
  t.equal(heard.code, null, "nobody told the phone");
  t.notOk(phone.isConnected);
  phone.find(true);
  await until("all came", () => heard.messages.length === 3);
  t.strictSame(heard.messages, ["echo a", "echo b", "echo c"]);
  t.ok(phone.isConnected);
});

t.test(
  "R-SIM-2: with another address the old line is silent for ever, and the server finds out by itself",
  async (t) => {
    const { start, device, until, pass, saw } = world();
    start();
    const phone = device();
    const heard = open(phone);
    await until("open", () => heard.isOpen);
    phone.lose();
    phone.find(false);
    heard.socket.send("into the void");
    await pass(IDLE_SECONDS * 1000 - 5_000);
    t.equal(heard.code, null);
    t.strictSame(saw, ["n1-1 open"]);
    await until("the server cuts", () => saw.length === 2);
    t.equal(saw[1], "n1-1 close 1006");
    const again = open(phone);
    await until("a new line", () => again.isOpen);
  },
);

t.test("R-SIM-2: a line that is silent one way carries the other", async (t) => {
  const { start, device, until, pass, saw } = world();
  start();
  const phone = device();
  const heard = open(phone);
  await until("open", () => heard.isOpen);
  phone.goSilent("down");
  heard.socket.send("heard");
  await pass(10_000);
  t.strictSame(saw, ["n1-1 open", "n1-1 heard"]);
  t.strictSame(heard.messages, []);
});

t.test("R-SIM-2: a slow reader makes the server wait, and drains it at its own pace", async (t) => {
  const { start, device, until, pass, saw } = world();
  start();
  const phone = device();
  const heard = open(phone);
  await until("open", () => heard.isOpen);
  phone.read(0);
  heard.socket.send("flood");
  await pass(5_000);
  t.strictSame(heard.messages, []);
  phone.read(1);
  await pass(10_000);
  const after10s = heard.messages.length;
  t.ok(after10s > 5 && after10s < 15, `${after10s} messages of 1,000 bytes in 10 s at a byte a millisecond`);
  phone.read(Number.POSITIVE_INFINITY);
  await until("all", () => heard.messages.length === 100);
  t.ok(saw.includes("n1-1 drain"));
});

t.test("R-SIM-2: a paused process accepts what comes and answers when it wakes, in order", async (t) => {
  const { start, device, until, pass, saw } = world();
  const process = start();
  const heard = open(device());
  await until("open", () => heard.isOpen);
  process.clock.pause();
  for (const text of ["a", "b"]) heard.socket.send(text);
  const late = open(device("late"));
  await pass(5_000);
  t.strictSame(saw, ["n1-1 open"]);
  t.notOk(late.isOpen);
  process.clock.resume();
  await until("all", () => heard.messages.length === 2 && late.isOpen);
  t.strictSame(
    saw.filter((line) => line.length === 6),
    ["n1-1 a", "n1-1 b"],
  );
});

t.test(
  "R-SIM-2: of a process that crashed, either its machine tells at once, or nobody until it is back",
  async (t) => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const { start, transport, device, until, pass, saw, faults } = world(seed);
      const process = start();
      const phone = device();
      const heard = open(phone);
      await until("open", () => heard.isOpen);
      process.clock.die();
      transport.crash(process);
      await pass(5_000);
      const fetched = phone.fetch(`${ORIGIN}/hello`, { method: "GET", headers: {} }).then(
        () => "answered",
        () => "refused",
      );
      if (heard.code === null) {
        outcomes.add("machine");
        t.strictSame(faults, ["client_half_open"]);
        start();
        heard.socket.send("is anybody there");
        await until("a reset by the new life's machine", () => heard.code === 1006);
      } else {
        outcomes.add("process");
        t.equal(heard.code, 1006);
        await pass(1_000);
        t.equal(await fetched, "refused");
        start();
      }
      t.notOk(
        saw.some((line) => line.includes("close")),
        "a dead process runs no handler",
      );
      const again = open(phone);
      await until("the new life", () => again.isOpen);
      t.ok(saw.includes("n1-2 open"));
    }
    t.strictSame([...outcomes].sort(), ["machine", "process"]);
  },
);

t.test("R-SIM-2: whoever repeats by mistake repeats commands and positions, and nothing else", async (t) => {
  const { start, device, until, pass, saw, faults } = world();
  start();
  const phone = device();
  phone.repeat(1);
  const heard = open(phone);
  await until("open", () => heard.isOpen);
  heard.socket.send("[1,2]");
  heard.socket.send("[4,1]");
  await pass(20_000);
  t.strictSame(saw.slice(1).sort(), ["n1-1 [1,2]", "n1-1 [4,1]", "n1-1 [4,1]"]);
  t.strictSame(faults, ["client_duplicate_send"]);
});

t.test("R-SIM-2: the same seed gives the same trace, another seed another", async (t) => {
  const hashes: string[] = [];
  for (const seed of [5, 5, 6]) {
    const { start, device, until, trace } = world(seed);
    start();
    const phone = device();
    const heard = open(phone);
    await until("open", () => heard.isOpen);
    for (let i = 0; i < 20; i++) heard.socket.send(`message ${i}`);
    await until("all", () => heard.messages.length === 20);
    hashes.push(trace.hash());
  }
  t.equal(hashes[0], hashes[1]);
  t.not(hashes[0], hashes[2]);
});
