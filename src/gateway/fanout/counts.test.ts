/** What passing positions on costs in things that can be counted, on any machine alike. */
import t from "tap";
import { msgpackCodec, OP } from "../../protocol/mod.js";
import { eventually, startHarness, trackingOf } from "../fixtures/harness.js";

const FOLLOWERS = 5;
const FIXES = 8;
const MOST_BYTES = { fix: 47, acknowledgement: 14, position: 117 };

const isPosition = (frame: readonly unknown[]): boolean => frame[0] === OP.state && frame[2] === "position";

t.test("R-BEN-1: a fix is one frame for each follower, and one subscription for all of a gateway's", async (t) => {
  const h = await startHarness({ settings: { positionEveryMs: 0 } });
  t.teardown(() => h.close());
  const tracking = trackingOf("o1", 1, "picked_up", { driverId: "d1", number: 1 });
  await h.tell("order", "o1", "show", { tracking, viewFirst: true });
  const sockets = await Promise.all(
    Array.from({ length: FOLLOWERS }, async (_, i) => {
      const socket = await h.connect("customer", "c1", { device: `phone-${i}` });
      socket.send([OP.sub, 1, "order:o1"]);
      await socket.op(OP.subbed);
      return socket;
    }),
  );
  await eventually("the gateway listens to the driver", () => h.gateway.stats().driverFeeds === 1);
  for (let i = 1; i <= FIXES; i++) {
    await h.tell("driver", "d1", "stamp", { orderId: "o1", grant: 1, lat: 41 + i / 100, at: i });
    // Each waits for the one before, so that no later one takes its place.
    await Promise.all(
      sockets.map((socket) => socket.next((frame) => isPosition(frame) && (frame[6] as { at: number }).at === i)),
    );
  }
  for (const socket of sockets) t.equal(socket.all(isPosition).length, FIXES, "one frame a fix");
  t.equal(h.gateway.stats().driverFeeds, 1, "one feed, however many follow");
});

t.test("R-BEN-1: bytes of the frames that there are most of", async (t) => {
  const bytes = (frame: readonly unknown[]): number => (msgpackCodec.encode(frame) as Uint8Array).length;
  const at = 1_800_000_000_000;
  const orderId = "018f3c2a-0000-7000-8000-000000000000";
  t.ok(bytes([OP.gps, "boot-1", 100_000, at, [[0, 48.20849, 16.37208, 8, -1, -1]]]) <= MOST_BYTES.fix);
  t.ok(bytes([OP.gpsAck, "boot-1", 100_000]) <= MOST_BYTES.acknowledgement);
  const body = { lat: 48.20849, lng: 16.37208, at };
  t.ok(bytes([OP.state, `order:${orderId}`, "position", [7, at], at, 30_000, body]) <= MOST_BYTES.position);
});
