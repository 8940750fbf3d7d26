/** A phone that dozes in a pocket: its monotonic clock stands still, its socket lives on. */
import t from "tap";
import type { Json } from "../src/lib/json.js";
import { seededRandom } from "../src/lib/random.js";
import { type ScriptedSocket, scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { VirtualClock } from "./fixtures/virtual-clock.js";
import { createClient } from "./mod.js";

const HOUR_MS = 3_600_000;
const offer = (offset: number, at: number): unknown[] => [
  19,
  "driver:d",
  offset,
  "offer.made",
  at,
  { offerId: "o", expiresAt: at + 30_000 },
];

function setup() {
  const clock = new VirtualClock();
  const { Socket, made } = scriptedSockets();
  const client = createClient({
    url: "http://node.test",
    token: "token",
    deviceId: "phone",
    WebSocket: Socket,
    clock,
    random: seededRandom(7),
  });
  const goLive = (): ScriptedSocket => {
    const socket = made.at(-1)!;
    socket.opens();
    socket.receives(WELCOME(clock.now()));
    return socket;
  };
  client.connect();
  return { clock, client, made, goLive };
}

t.test(
  "R-DSP-4 R-PRO-3: who dozes between pings for an hour sees how long an offer lasts, and accepts it",
  async (t) => {
    const { clock, client, goLive } = setup();
    const socket = goLive();
    client.subscribe("driver:d", {});
    await clock.advance(0);
    socket.receives([21, "driver:d", 1, 0, true]);
    for (let dozed = 0; dozed < HOUR_MS; dozed += 19_000) {
      clock.doze(19_000);
      await clock.advance(1_000);
      socket.receives([22, clock.now()]);
    }
    t.equal(client.serverNow(), clock.now(), "each ping tells the node's time");
    clock.doze(15_000);
    socket.receives(offer(1, clock.now()));
    t.equal(client.serverNow(), clock.now(), "so does each event");
    const accepted = client.command("driver.accept", { offerId: "o" }, { ttlMs: 30_000 });
    await clock.advance(0);
    const [, id, , type, , notAfter] = socket.sent.find(([op]) => op === 4) as [
      number,
      number,
      string,
      string,
      Json,
      number,
    ];
    t.equal(type, "driver.accept");
    t.equal(notAfter, clock.now() + 30_000, "the node does not take it for one of yesterday");
    socket.receives([17, id, { claiming: "o" }]);
    t.same(await accepted, { claiming: "o" });
    t.equal(socket.sent.filter(([op]) => op === 1).length, 1, "on one socket");

    // What was written long ago, or by a node whose clock is a little behind, takes nothing back.
    socket.receives([22, clock.now() - 60_000], offer(2, clock.now() - HOUR_MS));
    t.equal(client.serverNow(), clock.now());
  },
);

t.test("R-GPS-2: positions of a phone that dozes leave with the time at which they were measured", async (t) => {
  const { clock, client, goLive } = setup();
  const socket = goLive();
  client.gps.apply({ send: true, everyMs: 5_000, reason: "on_trip" });
  for (let turn = 0; turn < 10; turn++) {
    clock.doze(15_000);
    await clock.advance(5_000);
    socket.receives([22, clock.now()]);
    client.gps.offer({ lat: 50, lng: 4, accuracyMeters: 5 });
    await clock.advance(0);
    const [, , , baseTs] = socket.sent.at(-1) as [number, string, number, number];
    t.equal(baseTs, clock.now());
  }
});

t.test("R-ORD-5 R-PRO-3: what was given offline is not done after an hour in a pocket", async (t) => {
  const { clock, client, made, goLive } = setup();
  const says = { text: "Ring twice", messageId: "m" };
  const cancelled = client.command("order.cancel", { orderId: "o", reason: "too slow" });
  const said = client.command("chat.say", { ...says, roomId: "order:o" }, { ttlMs: 2 * HOUR_MS });
  const asked = client.command("driver.offline", {}, { notAfter: clock.now() + 60_000 });
  cancelled.catch(() => undefined);
  asked.catch(() => undefined);
  said.catch(() => undefined);
  clock.doze(HOUR_MS);
  await clock.advance(1_000);
  client.wake();
  const socket = goLive();
  await clock.advance(0);
  const sent = socket.sent.filter(([op]) => op === 4);
  t.same(
    sent.map(([, , , type]) => type),
    ["chat.say", "driver.offline"],
    "what has its time left goes, and what says until when it counts is the node's to judge",
  );
  t.equal(sent[0]![5], clock.now() + HOUR_MS - 1_000, "counting what the phone has slept");
  await t.rejects(cancelled, { code: "expired" }, "it was to be tried for two minutes");
  t.equal(made.length, 1);
  client.close();
});

t.test("R-PRO-3: a line on which nothing came since the device slept is given up when it wakes", async (t) => {
  const { clock, client, made, goLive } = setup();
  const first = goLive();
  client.wake();
  clock.doze(5_000);
  client.wake();
  t.equal(made.length, 1, "a moment is no sleep");
  clock.doze(HOUR_MS);
  first.receives([22, clock.now()]);
  client.wake();
  t.equal(made.length, 1, "what has spoken since is alive");
  clock.doze(600_000);
  client.wake();
  t.equal(made.length, 2);
  t.notOk(first.isOpen);
  goLive();
  t.equal(client.state.name, "live");
  t.equal(client.serverNow(), clock.now());
  client.wake();
  t.equal(made.length, 2);
});
