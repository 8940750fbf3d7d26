import { connect } from "node:net";
import t from "tap";
import { eventually, MENU, startHarness } from "../fixtures/harness.js";

/** Together far more than two kernels hold between them. */
const ASKED = 100;

t.test("R-PRO-5, rule 16: who asks again and again on one line, and reads nothing, is cut off", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  await h.tell("restaurant", "r1", "list", {
    ...MENU,
    items: Array.from({ length: 400 }, (_, i) => ({
      ...MENU.items[0]!,
      itemId: `i${i}`,
      description: "d".repeat(400),
    })),
  });
  const bytesOf = async (path: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${h.port}${path}`, { headers: { "accept-encoding": "identity" } });
    t.equal(answer.status, 200, path);
    return (await answer.arrayBuffer()).byteLength;
  };
  for (const path of ["/openapi.json", "/v1/restaurants/r1/menu"]) {
    const one = await bytesOf(path);
    const socket = connect(h.port, "127.0.0.1");
    t.teardown(() => socket.destroy());
    let closed = false;
    let bytes = 0;
    socket.on("error", () => {});
    socket.on("close", () => {
      closed = true;
    });
    // The node reads them all at once.
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(ASKED));
    socket.on("data", (data) => {
      bytes += data.length;
    });
    await eventually("the line is closed", () => closed);
    t.ok(bytes < (one * ASKED) / 2, `${bytes} bytes of ${one * ASKED}`);
    t.equal(await bytesOf(path), one, "others are answered");
  }
});

t.test("R-PRO-5, rule 16: bodies that never come whole hold a bounded memory, and harm nobody else", async (t) => {
  const h = await startHarness({ settings: { maxUnfinishedBytes: 100_000 } });
  t.teardown(() => h.close());
  const begin = (role: "customer" | "restaurant", path: string, length: number) => {
    const socket = connect(h.port, "127.0.0.1");
    const line = { heard: "", end: () => socket.destroy() };
    socket.on("error", () => {});
    socket.on("data", (data) => {
      line.heard += data.toString();
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${h.token(role, "r1")}\r\nIdempotency-Key: k\r\nContent-Length: ${length + 1}\r\n\r\n`,
    );
    socket.write(`"${"x".repeat(length - 1)}`);
    return line;
  };
  const menu = "/v1/commands/restaurant.configure";
  const large = begin("customer", menu, 60_000);
  await eventually("only who may send a menu may send as much", () => large.heard.includes(" 413 "));
  const other = begin("restaurant", "/v1/commands/order.accept", 60_000);
  await eventually("nor is it for other commands", () => other.heard.includes(" 413 "));
  t.equal(h.gateway.stats().unfinishedBytes, 0, "what was refused is held no longer");
  const first = begin("restaurant", menu, 60_000);
  await eventually("it is held", () => h.gateway.stats().unfinishedBytes === 60_000);
  const second = begin("restaurant", menu, 60_000);
  await eventually("there is no room for another", () => second.heard.includes(" 503 "));
  await eventually("which is held no longer", () => h.gateway.stats().unfinishedBytes === 60_000);
  const cancelled = await h.http("POST", "/v1/orders/o1/cancel", {
    token: h.token("customer", "c1"),
    body: { reason: "r" },
    headers: { "idempotency-key": "k1" },
  });
  t.not(cancelled.status, 503, "what comes whole needs none");
  first.end();
  await eventually("who leaves takes it along", () => h.gateway.stats().unfinishedBytes === 0);
});
