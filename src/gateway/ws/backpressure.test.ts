/** Readers that do not read, and readers that come back: R-TRK-2, R-TRK-3, rule 15, rule 16. */
import { connect, type Socket } from "node:net";
import t from "tap";
import { CLOSE, CODECS, OP } from "../../protocol/mod.js";
import { eventually, type Harness, pause, startHarness } from "../fixtures/harness.js";

const offsets = (frames: readonly (readonly unknown[])[]) =>
  frames.filter((f) => f[0] === OP.event).map((f) => f[2] as number);

t.test(
  "rule 15 R-TRK-3: resume from (epoch, offset) without gap or repeat; a snapshot where that is impossible",
  async (t) => {
    const h = await startHarness();
    t.teardown(() => h.close());
    const push = (count: number) => h.tell("driver", "d1", "push", { count, padding: 10 });
    const first = await h.connect("driver", "d1");
    first.send([OP.sub, 1, "driver:d1"]);
    t.match(await first.op(OP.subbed), [OP.subbed, "driver:d1", 1, 0, false]);
    t.match(await first.op(OP.state), [OP.state, "driver:d1", "snapshot", Array, Number, Number, { pushed: 0 }]);
    await push(5);
    await eventually("five events", () => offsets(first.frames).length === 5);
    t.same(offsets(first.frames), [1, 2, 3, 4, 5]);
    first.send([OP.ack, "driver:d1", 1, 2]);
    first.close();
    await first.closed;
    await push(4);
    for (let lap = 0; lap < 3; lap++) {
      const again = await h.connect("driver", "d1", { codec: lap === 1 ? "json" : "msgpack" });
      again.send([OP.sub, 1, "driver:d1", 1, 5]);
      const racing = push(3);
      t.match(await again.op(OP.subbed), [OP.subbed, "driver:d1", 1, Number, true]);
      await racing;
      const top = 9 + 3 * (lap + 1);
      await eventually("all events", () => offsets(again.frames).at(-1) === top);
      t.same(
        offsets(again.frames),
        Array.from({ length: top - 5 }, (_, i) => 6 + i),
        "6, 7, 8 … each once",
      );
      again.close();
      await again.closed;
    }
    const foreign = await h.connect("driver", "d1");
    foreign.send([OP.sub, 1, "driver:d1", 77, 5]);
    t.match(
      await foreign.op(OP.subbed),
      [OP.subbed, "driver:d1", 1, 18, false],
      "another epoch: a snapshot replaces everything",
    );
    await foreign.op(OP.state);
    await push(1);
    await eventually("the next", () => offsets(foreign.frames).length === 1);
    t.same(offsets(foreign.frames), [19]);
    foreign.send([OP.sub, 2, "driver:d1"]);
    await foreign.op(OP.subbed);
    t.equal(h.gateway.stats().subscriptions, 1, "asking again replaces");
    foreign.send([OP.unsub, 3, "driver:d1"]);
    await foreign.op(OP.reply);
    await push(1);
    await pause(30);
    t.equal(offsets(foreign.frames).at(-1), 19, "nothing after UNSUB");
  },
);

t.test(
  "R-TRK-2 rule 16: a reader that does not read: one waiting value per slot, and at last the newest",
  async (t) => {
    const h = await startHarness();
    t.teardown(() => h.close());
    const admin = await h.connect("admin", "a1");
    admin.send([OP.sub, 1, "zone:z1"]);
    await admin.op(OP.state);
    admin.ws.pause();
    const painted = 200;
    for (let i = 0; i < painted; i++) await h.tell("dispatch-zone", "z1", "paint", { padding: 30_000 });
    const stats = h.gateway.stats();
    t.ok(stats.slotsOverwritten > 20, `${stats.slotsOverwritten} values were overwritten`);
    t.ok(stats.bytesOut < painted * 30_000 * 0.9, "and never sent");
    t.notOk(admin.isClosed, "a latest-wins reader is not closed for being slow");
    admin.ws.resume();
    await eventually("the newest arrives", () => (admin.frames.at(-1)?.[6] as { n?: number })?.n === painted);
    const versions = admin.all((f) => f[0] === OP.state).map((f) => (f[6] as { n: number }).n);
    t.same(
      versions,
      versions.toSorted((a, b) => a - b),
    );
    t.ok(versions.length < painted);
  },
);

t.test("R-PRO-5 rule 16: more than 256 KiB of reliable backlog closes with 4003, and the client resumes", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const driver = await h.connect("driver", "d1");
  driver.send([OP.sub, 1, "driver:d1"]);
  await driver.op(OP.state);
  driver.ws.pause();
  let pushed = 0;
  while (h.gateway.stats().connections > 0 && pushed < 4_000) {
    await h.tell("driver", "d1", "push", { count: 10, padding: 30_000 });
    pushed += 10;
  }
  t.equal(h.gateway.stats().closes[CLOSE.slow], 1);
  driver.ws.resume();
  t.equal((await driver.closed).code, CLOSE.slow);
  const got = offsets(driver.frames);
  t.same(
    got,
    Array.from({ length: got.length }, (_, i) => i + 1),
    "what it got before is in order",
  );
  const last = got.length;
  await h.tell("driver", "d1", "push", { count: 1, padding: 1 });
  const again = await h.connect("driver", "d1");
  again.send([OP.sub, 1, "driver:d1", 1, last]);
  const subbed = await again.op(OP.subbed);
  if (subbed[4] === true) {
    await eventually("the rest", () => offsets(again.frames).at(-1) === pushed + 1);
    t.equal(offsets(again.frames)[0], last + 1);
  } else t.match(await again.op(OP.state), [OP.state, "driver:d1", "snapshot"]);
});

t.test(
  "R-PRO-5: a replay too large for a reader that does not read closes it in the middle, and nothing else",
  async (t) => {
    const h = await startHarness({ settings: { reliableBacklogBytes: 32_768 } });
    t.teardown(() => h.close());
    await h.tell("driver", "d1", "push", { count: 60, padding: 200_000 });
    const driver = await h.connect("driver", "d1");
    driver.ws.pause();
    driver.send([OP.sub, 1, "driver:d1", 1, 0]);
    await eventually("it is closed", () => h.gateway.stats().closes[CLOSE.slow] === 1);
    driver.ws.resume();
    t.equal((await driver.closed).code, CLOSE.slow);
    const got = offsets(driver.frames);
    t.same(
      got,
      Array.from({ length: got.length }, (_, i) => i + 1),
    );
    t.equal(h.gateway.stats().subscriptions, 0);
  },
);

/** A WebSocket by hand, to send what no library would and to read only when told. */
async function rawSocket(h: Harness): Promise<Socket> {
  const socket = connect(h.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Protocol: swifteats.v1.msgpack\r\n\r\n",
  );
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

function masked(payload: Uint8Array, opcode = 2): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.from([0, 0, 0, 0]), payload]);
}

t.test("R-PRO-5: hostile bytes below the protocol end one socket and nothing else", async (t) => {
  const h = await startHarness({ settings: { helloTimeoutMs: 60_000 } });
  t.teardown(() => h.close());
  const hostile: readonly (readonly [string, Buffer])[] = [
    ["unmasked", Buffer.from([0x82, 0x01, 0xc0])],
    ["reserved bits", Buffer.from([0xf2, 0x81, 0, 0, 0, 0, 0xc0])],
    ["a length of 2^63", Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ["an unknown opcode", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["a continuation of nothing", Buffer.from([0x80, 0x81, 0, 0, 0, 0, 0xc0])],
    ["text that is not UTF-8", masked(Buffer.from([0xff, 0xfe]), 1)],
    ["HTTP in the middle", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a frame over the native bound", masked(Buffer.alloc(65_000))],
    [
      "a fragmented flood",
      Buffer.concat(
        Array.from({ length: 50 }, () =>
          Buffer.concat([Buffer.from([0x02, 0xfe, 0x20, 0x00, 0, 0, 0, 0]), Buffer.alloc(8192)]),
        ),
      ),
    ],
  ];
  for (const [what, data] of hostile) {
    const socket = await rawSocket(h);
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    // Some of it is the beginning of something longer: the line is closed behind it.
    socket.end(data);
    await ended;
    t.pass(what);
  }
  await eventually("all are gone", () => h.gateway.stats().connections === 0);
  const good = await h.connect("customer", "c1");
  good.send([OP.unsub, 1, "order:x"]);
  t.match(await good.op(OP.reply), [OP.reply, 1]);
});

t.test("R-PRO-5: a socket that says HELLO and never reads is bounded in memory and closed", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const socket = await rawSocket(h);
  socket.pause();
  const say = (frame: unknown) => socket.write(masked(CODECS.msgpack.encode(frame) as Uint8Array));
  say([OP.hello, h.token("driver", "d1"), "d", "1"]);
  say([OP.sub, 1, "driver:d1"]);
  let pushed = 0;
  await eventually("it is closed for being slow", async () => {
    await h.tell("driver", "d1", "push", { count: 10, padding: 30_000 });
    pushed += 300_000;
    return h.gateway.stats().closes[CLOSE.slow] === 1;
  });
  t.equal(h.gateway.stats().connections, 0);
  const sent = h.gateway.stats().bytesOut;
  await h.tell("driver", "d1", "push", { count: 10, padding: 30_000 });
  t.equal(h.gateway.stats().bytesOut, sent, `nothing more is sent after ${pushed} bytes`);
  socket.destroy();
});

t.test("R-PRO-5 rule 16: pings count as frames: who floods with them, and reads no pong, is closed", async (t) => {
  const h = await startHarness({ settings: { helloTimeoutMs: 60_000, frameBurst: 100, framesPerMinute: 60 } });
  t.teardown(() => h.close());
  const socket = await rawSocket(h);
  t.teardown(() => socket.destroy());
  const ping = masked(Buffer.alloc(125, "x"), 9);
  let answered = 0;
  socket.on("data", (data: Buffer) => {
    answered += data.length;
  });
  socket.write(Buffer.concat(Array.from({ length: 10 }, () => ping)));
  await eventually("the first ones are answered", () => answered === 10 * 127);
  t.equal(h.gateway.stats().connections, 1);
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: 2_000 }, () => ping)));
  await eventually("it is closed for haste", () => h.gateway.stats().closes[CLOSE.rate] === 1);
  t.equal(h.gateway.stats().connections, 0);
});
