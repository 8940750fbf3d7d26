import { connect, type Socket } from "node:net";
import t from "tap";
import type { OrderStatus, TrackedOrder } from "../../protocol/mod.js";
import { eventually, type Harness, pause, startHarness, trackingOf } from "../fixtures/harness.js";

/** A stream read by hand, so that it can also not be read. */
class Reader {
  readonly socket: Socket;
  text = "";
  ended = false;

  constructor(h: Harness, token: string, path: string, headers = "") {
    this.socket = connect(h.port, "127.0.0.1");
    this.socket.on("data", (data) => {
      this.text += data.toString();
    });
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("error", () => {});
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`);
  }

  get events(): { id: number; tracked: TrackedOrder }[] {
    return [...this.text.matchAll(/id: (\d+)\ndata: (.*)\n/g)].map((match) => ({
      id: Number(match[1]),
      tracked: JSON.parse(match[2]!) as TrackedOrder,
    }));
  }

  /** The chunk that ends a chunked body. */
  get finished(): boolean {
    return this.ended || this.text.endsWith("0\r\n\r\n");
  }
}

async function world(settings: Parameters<typeof startHarness>[0] = {}) {
  const h = await startHarness(settings);
  const show = (
    version: number,
    status: OrderStatus,
    grant: { driverId: string; number: number } | null = null,
    note = "",
  ) => {
    const tracking = trackingOf("o1", version, status, grant);
    return h.tell("order", "o1", "show", {
      tracking: { ...tracking, view: { ...tracking.view, destination: { lat: 1, lng: 1, address: note } } },
      viewFirst: true,
    });
  };
  return { h, show };
}

t.test("R-TRK-1: the same view by server-sent events, with the position while it may be seen", async (t) => {
  const { h, show } = await world({ settings: { positionEveryMs: 1, streamHeartbeatMs: 100 } });
  t.teardown(() => h.close());
  await show(1, "ready");
  const token = h.token("customer", "c1");
  const reader = new Reader(h, token, "/v1/orders/o1/stream");
  await eventually("the view", () => reader.events.length === 1);
  t.match(reader.text, /^HTTP\/1.1 200 OK\r\n/);
  t.match(reader.text, "text/event-stream");
  t.match(reader.events[0], { id: 1, tracked: { view: { status: "ready" }, fresh: true, serverTime: Number } });
  await show(2, "picked_up", { driverId: "d1", number: 1 });
  await h.tell("driver", "d1", "stamp", { orderId: "o1", grant: 1, lat: 41.5, at: 1000 });
  await eventually("the position", () => reader.events.at(-1)?.tracked.position !== undefined);
  t.match(reader.events.at(-1), { id: 2, tracked: { position: { lat: 41.5, at: 1000, ageMs: Number } } });
  const back = new Reader(h, token, "/v1/orders/o1/events", "Last-Event-ID: 2\r\n");
  await eventually("it begins", () => back.text.includes("200 OK"));
  await h.tell("driver", "d1", "stamp", { orderId: "o1", grant: 1, lat: 41.55, at: 1500 });
  await eventually("who comes back goes on seeing the driver", () => back.events.at(-1)?.tracked.position?.at === 1500);
  t.match(back.events.at(-1), { id: 2, tracked: { view: { status: "picked_up" } } });
  back.socket.destroy();
  await show(3, "delivered");
  await h.tell("driver", "d1", "stamp", { orderId: "o1", grant: 1, lat: 41.6, at: 2000 });
  await eventually("the end", () => reader.events.at(-1)?.id === 3);
  t.notOk(reader.events.at(-1)!.tracked.position, "rule 12: no position with or after the closing view");
  await eventually("a heartbeat", () => reader.text.includes("\n: \n\n"));

  const resumed = new Reader(h, token, "/v1/orders/o1/events", "Last-Event-ID: 3\r\n");
  const behind = new Reader(h, token, "/v1/orders/o1/events", "Last-Event-ID: 2\r\n");
  await eventually("who is behind gets the view", () => behind.events.length === 1);
  await pause(30);
  t.equal(resumed.events.length, 0, "R-TRK-3: who has it gets nothing again");
  t.match(resumed.text, /200 OK/);
  resumed.socket.destroy();
  behind.socket.destroy();
  reader.socket.destroy();
  await eventually("all have left", () => h.gateway.stats().streams === 0 && h.gateway.stats().requests === 0);
  t.equal(h.gateway.stats().driverFeeds, 0);
});

t.test("R-ACC-3: a stream of another's order is not found; one ends with its token", async (t) => {
  const { h, show } = await world({ settings: { streamHeartbeatMs: 100 } });
  t.teardown(() => h.close());
  await show(1, "ready");
  const stranger = new Reader(h, h.token("customer", "c2"), "/v1/orders/o1/stream");
  await eventually("refused", () => stranger.text.includes("urn:swifteats:error:not_found"));
  const brief = new Reader(h, h.token("customer", "c1", 1), "/v1/orders/o1/stream");
  await eventually("it begins", () => brief.events.length === 1);
  await eventually("it ends", () => brief.finished);
  t.equal(h.gateway.stats().streams, 0);
});

t.test(
  "R-PRO-5: an account has as many streams as it may have sockets, and HEAD is answered by headers alone",
  async (t) => {
    const { h, show } = await world({ settings: { maxConnectionsPerUser: 2 } });
    t.teardown(() => h.close());
    await show(1, "ready");
    const token = h.token("customer", "c1");
    const path = "/v1/orders/o1/stream";
    const head = await fetch(`http://127.0.0.1:${h.port}${path}`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}` },
    });
    t.equal(head.status, 200);
    t.equal(head.headers.get("content-type"), "text/event-stream");
    t.equal(h.gateway.stats().streams, 0, "HEAD leaves no stream behind");
    const first = new Reader(h, token, path);
    const second = new Reader(h, token, path);
    await eventually("two streams", () => first.events.length === 1 && second.events.length === 1);
    t.equal(h.gateway.stats().streams, 2, "counted while they are open");
    const third = new Reader(h, token, path);
    await eventually("refused", () => third.text.includes("urn:swifteats:error:overloaded"));
    const other = new Reader(h, h.token("support", "c1"), path);
    await eventually("another account of the same name has its own", () => other.events.length === 1);
    first.socket.destroy();
    await eventually("one has left", () => h.gateway.stats().streams === 2);
    const next = new Reader(h, token, path);
    await eventually("its place is free again", () => next.events.length === 1);
    for (const reader of [second, third, other, next]) reader.socket.destroy();
    await eventually("all have left", () => h.gateway.stats().streams === 0);
  },
);

t.test("R-TRK-2 rule 16: a stream that is not read holds one waiting view, the newest", async (t) => {
  const { h, show } = await world();
  t.teardown(() => h.close());
  await show(1, "preparing");
  const reader = new Reader(h, h.token("customer", "c1"), "/v1/orders/o1/stream");
  await eventually("the view", () => reader.events.length === 1);
  reader.socket.pause();
  const last = 600;
  for (let version = 2; version <= last; version++) await show(version, "preparing", null, "x".repeat(20_000));
  reader.socket.resume();
  await eventually("the newest", () => reader.events.at(-1)?.id === last);
  const ids = reader.events.map((event) => event.id);
  t.ok(ids.length < last, `${ids.length} of ${last} versions were written`);
  t.same(
    ids,
    ids.toSorted((a, b) => a - b),
  );
});

t.test("R-CLU-4: draining ends streams and asks them back within the window", async (t) => {
  const { h, show } = await world({ settings: { drainMs: 50 } });
  t.teardown(() => h.close());
  await show(1, "ready");
  const reader = new Reader(h, h.token("customer", "c1"), "/v1/orders/o1/stream");
  await eventually("the view", () => reader.events.length === 1);
  await h.gateway.drain();
  await eventually("it ends", () => reader.finished);
  t.match(reader.text, /retry: \d+\n\n[\s\S]*retry: \d+\n\n/);
});
