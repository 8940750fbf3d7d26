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
