/** The part of the native server's contract that is about sockets. */
import type { Test } from "tap";
import type { NativeApp, NativeSocketBehavior } from "../native.js";
import type { MakeSubject, NativeSubject } from "./native.contract.js";

const CLOSED_BY_LINE = 1006;
const DROPPED = 2;
const PIECE_BYTES = 16 * 1024;
const MAX_BACKPRESSURE = 128 * 1024;
const MOST_PIECES = 4_000;

/** Whether a call throws. */
export function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

/** Upgrades whoever asks for `p.v1`; what happens is written down. */
function accepting(saw: string[], more: NativeSocketBehavior<{ name: string }> = {}): (app: NativeApp) => void {
  return (app) => {
    app.any("/*", (res) => void res.writeStatus("404 Not Found").end());
    app.ws<{ name: string }>("/ws", {
      maxPayloadLength: 1_000,
      upgrade(res, req, context) {
        const offered = req.getHeader("sec-websocket-protocol");
        if (!offered.includes("p.v1")) {
          res.cork(() => res.writeStatus("400 Bad Request").end("no"));
          return;
        }
        const key = req.getHeader("sec-websocket-key");
        res.upgrade({ name: req.getUrl() }, key, "p.v1", req.getHeader("sec-websocket-extensions"), context);
        saw.push("upgraded");
      },
      open: (ws) => void saw.push(`open ${ws.getUserData().name}`),
      close: (_ws, code, reason) => void saw.push(`close ${code} ${Buffer.from(reason).toString()}`.trim()),
      ...more,
    });
  };
}

async function opened(subject: NativeSubject, origin: string) {
  const socket = subject.socket(`${origin.replace("http", "ws")}/ws`, ["other", "p.v1"]);
  await subject.until("open", () => socket.isOpen);
  return socket;
}

export async function nativeSocketContract(t: Test, make: MakeSubject): Promise<void> {
  await t.test("an upgrade that is refused, or asked for elsewhere, opens nothing", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin } = await subject.open(accepting(saw));
    for (const [path, protocol] of [
      ["/ws", "unknown"],
      ["/elsewhere", "p.v1"],
    ] as const) {
      const socket = subject.socket(origin.replace("http", "ws") + path, [protocol]);
      await subject.until("over", () => socket.over !== null);
      t.equal(socket.over?.code, CLOSED_BY_LINE);
    }
    t.strictSame(saw, []);
    const answer = await subject.settle(subject.fetch(`${origin}/ws`, { method: "GET", headers: {} }));
    t.equal(answer.status, 404, "without an upgrade it is an address like any other");
  });

  await t.test("within an upgrade the socket opens; texts and bytes come whole and in order", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const kept: ArrayBuffer[] = [];
    const { origin } = await subject.open(
      accepting(saw, {
        message(ws, message, isBinary) {
          kept.push(message);
          ws.send(isBinary ? new Uint8Array(message) : Buffer.from(message).toString(), isBinary);
        },
      }),
    );
    const socket = await opened(subject, origin);
    t.strictSame(saw, ["open /ws", "upgraded"]);
    t.equal(socket.protocol, "p.v1");
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    socket.send("grüß");
    socket.send(bytes);
    socket.send("");
    await subject.until("three answers", () => socket.heard.length === 3);
    t.strictSame(
      socket.heard.map((data) => (typeof data === "string" ? data : [...data])),
      ["grüß", [...bytes], ""],
    );
    const intact = kept.filter(
      (message) => !throws(() => new Uint8Array(message)) && sum(message) === sum(bytes.buffer),
    );
    t.strictSame(intact, [], "the memory of a message is taken back");
  });

  await t.test("the memory of what was sent may be used again at once", async (t) => {
    const subject = await make(t);
    const { origin } = await subject.open(
      accepting([], {
        message(ws) {
          const bytes = new Uint8Array([1, 2, 3]);
          ws.cork(() => {
            ws.send(bytes, true);
            bytes.fill(9);
            ws.send(bytes, true);
          });
        },
      }),
    );
    const socket = await opened(subject, origin);
    socket.send("go");
    await subject.until("two", () => socket.heard.length === 2);
    t.strictSame(
      socket.heard.map((data) => [...(data as Uint8Array)]),
      [
        [1, 2, 3],
        [9, 9, 9],
      ],
    );
  });

  await t.test("a goodbye runs the close handler within; afterwards the socket must not be touched", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin } = await subject.open(
      accepting(saw, {
        message(ws) {
          ws.send("last words", false);
          ws.end(4001, "bye");
          saw.push("ended", String(throws(() => ws.send("more", false))), String(throws(() => ws.getBufferedAmount())));
        },
      }),
    );
    const socket = await opened(subject, origin);
    socket.send("go");
    socket.send("not heard");
    await subject.until("over", () => socket.over !== null);
    t.strictSame(socket.over, { code: 4001, reason: "bye" });
    t.strictSame(socket.heard, ["last words"]);
    t.strictSame(saw.slice(2), ["close 4001 bye", "ended", "true", "true"]);
  });

  await t.test("a client's goodbye is told with its code, and answered", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin } = await subject.open(accepting(saw));
    const socket = await opened(subject, origin);
    socket.close(4321, "enough");
    await subject.until("both know", () => socket.over !== null && saw.length === 3);
    t.strictSame(socket.over, { code: 4321, reason: "enough" });
    t.equal(saw[2], "close 4321 enough");
  });

  await t.test("a line that is dropped is told as 1006", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin } = await subject.open(accepting(saw));
    const socket = await opened(subject, origin);
    socket.terminate();
    await subject.until("told", () => saw.length === 3);
    t.match(saw[2], /^close 1006/);
    await subject.until("the client knows", () => socket.over !== null);
    t.equal(socket.over?.code, CLOSED_BY_LINE);
  });

  await t.test("a message that is too long cuts the line on both sides", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin } = await subject.open(accepting(saw, { message: () => void saw.push("message") }));
    const socket = await opened(subject, origin);
    socket.send("z".repeat(1_000));
    await subject.until("the longest", () => saw.length === 3);
    socket.send("z".repeat(1_001));
    await subject.until("over", () => socket.over !== null);
    t.equal(socket.over?.code, CLOSED_BY_LINE);
    t.equal(saw[2], "message");
    t.match(saw[3], /^close 1006/);
    t.equal(saw.length, 4);
  });

  await t.test(
    "a reader that does not read: what waits is counted, bounded, and leaves when it reads again",
    async (t) => {
      const subject = await make(t);
      const results: number[] = [];
      let buffered = 0;
      let drained = 0;
      let left = -1;
      const { origin } = await subject.open(
        accepting([], {
          maxBackpressure: MAX_BACKPRESSURE,
          message(ws) {
            while (results.length < MOST_PIECES) {
              const result = ws.send(numbered(results.length), true);
              results.push(result);
              buffered = ws.getBufferedAmount();
              if (result === DROPPED) return;
            }
          },
          drain(ws) {
            drained++;
            left = ws.getBufferedAmount();
          },
        }),
      );
      const socket = await opened(subject, origin);
      subject.readAll(false);
      socket.send("go");
      await subject.until("one was dropped", () => results.includes(DROPPED));
      const taken = results.length - 1;
      t.strictSame([...new Set(results)], [1, 0, DROPPED], "on its way, waiting, not taken, in this order");
      t.ok(buffered > MAX_BACKPRESSURE, `${buffered} bytes wait`);
      subject.readAll(true);
      await subject.until("all have been read", () => socket.heard.length === taken);
      await subject.until("nothing waits", () => left === 0);
      t.ok(drained > 0);
      t.strictSame(
        socket.heard.map((data) => numberOf(data as Uint8Array)),
        Array.from({ length: taken }, (_, i) => i),
      );
    },
  );

  await t.test("a goodbye behind what waits is read after it", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    let sent = 0;
    const { origin } = await subject.open(
      accepting(saw, {
        maxBackpressure: 16 * 1024 * 1024,
        message(ws) {
          while (ws.getBufferedAmount() < MAX_BACKPRESSURE && sent < MOST_PIECES) ws.send(numbered(sent++), true);
          ws.end(4003, "reads too slowly");
        },
      }),
    );
    const socket = await opened(subject, origin);
    subject.readAll(false);
    socket.send("go");
    await subject.until("the server has closed", () => saw.includes("close 4003 reads too slowly"));
    t.equal(socket.over, null);
    subject.readAll(true);
    await subject.until("over", () => socket.over !== null);
    t.strictSame(socket.over, { code: 4003, reason: "reads too slowly" });
    t.equal(socket.heard.length, sent);
  });

  await t.test("closing the app cuts every socket", async (t) => {
    const subject = await make(t);
    const saw: string[] = [];
    const { origin, app } = await subject.open(accepting(saw));
    const socket = await opened(subject, origin);
    app.close();
    t.match(saw[2], /^close 1006/);
    await subject.until("over", () => socket.over !== null);
    t.equal(socket.over?.code, CLOSED_BY_LINE);
    const late = subject.socket(`${origin.replace("http", "ws")}/ws`, ["p.v1"]);
    await subject.until("refused", () => late.over !== null);
    t.equal(late.over?.code, CLOSED_BY_LINE);
  });
}

function numbered(number: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_BYTES);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function sum(buffer: ArrayBufferLike): number {
  return new Uint8Array(buffer).reduce((total, byte) => total + byte, 0);
}
