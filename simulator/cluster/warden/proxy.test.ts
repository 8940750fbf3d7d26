import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import t, { type Test } from "tap";
import { type Clock, sleep, systemClock } from "../../../src/lib/clock.js";
import { type CuttableProxy, startProxy } from "./proxy.js";

const clock = systemClock();
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(clock, 2);
};

/** One end of a connection, with everything that has arrived at it. */
class End {
  readonly socket: Socket;
  text = "";
  ended = false;
  closed = false;
  error: string | null = null;
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.text += bytes.toString();
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("close", () => {
      this.closed = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }
}

class World {
  readonly #t: Test;
  readonly proxy: CuttableProxy;
  readonly accepted: End[];
  constructor(t: Test, proxy: CuttableProxy, accepted: End[]) {
    this.#t = t;
    this.proxy = proxy;
    this.accepted = accepted;
  }
  /** A connection to the proxy, without waiting for the server to see it. */
  async dial(port = this.proxy.port): Promise<End> {
    const end = new End(connect({ host: "127.0.0.1", port, allowHalfOpen: true }));
    this.#t.teardown(() => end.socket.destroy());
    await once(end.socket, "connect").catch(() => {});
    return end;
  }
  /** Both ends of a connection through the proxy. */
  async join(): Promise<{ client: End; server: End }> {
    const before = this.accepted.length;
    const client = await this.dial();
    await until(() => this.accepted.length > before);
    return { client, server: this.accepted.at(-1)! };
  }
}

/** A server that only listens, and a proxy before it. */
async function world(t: Test, proxyClock: Clock = clock): Promise<World> {
  const accepted: End[] = [];
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(new End(socket));
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.teardown(() => listener.close());
  const proxy = await startProxy((listener.address() as AddressInfo).port, proxyClock);
  t.teardown(() => proxy.close());
  return new World(t, proxy, accepted);
}

t.test("a proxy without faults passes bytes and ends, and counts", async (t) => {
  const w = await world(t);
  const { client, server } = await w.join();
  client.socket.write("hello");
  await until(() => server.text === "hello");
  server.socket.write("welcome");
  await until(() => client.text === "welcome");
  client.socket.end("bye");
  await until(() => server.ended);
  t.equal(server.text, "hellobye");
  t.notOk(client.ended, "half a connection stays open");
  server.socket.end("and bye");
  await until(() => client.closed && server.closed);
  t.equal(client.text, "welcomeand bye");
  t.strictSame(w.proxy.stats(), { connections: 1, bytesUp: 8, bytesDown: 14 });
});

t.test("a large transfer through a slow reader arrives whole", async (t) => {
  const w = await world(t);
  const { client, server } = await w.join();
  server.socket.pause();
  const block = "0123456789abcdef".repeat(4096);
  for (let count = 0; count < 128; count++) client.socket.write(block);
  client.socket.end();
  server.socket.resume();
  await until(() => server.ended);
  t.equal(server.text.length, block.length * 128);
  t.ok(server.text === block.repeat(128));
});

t.test("a cut that drops holds everything back until it heals, in order", async (t) => {
  const w = await world(t);
  const { client, server } = await w.join();
  client.socket.write("1");
  await until(() => server.text === "1");
  w.proxy.cut("both", "drop");
  client.socket.write("2");
  server.socket.write("a");
  const late = await w.dial();
  late.socket.write("x");
  // Long enough for a loopback to deliver what nobody holds back.
  await sleep(clock, 100);
  t.equal(server.text, "1");
  t.equal(client.text, "");
  t.equal(w.accepted.length, 1, "the server has not heard of the new connection");
  t.notOk(client.closed || server.closed || late.closed, "nobody was told");
  client.socket.write("3");
  w.proxy.heal();
  await until(() => server.text === "123" && client.text === "a");
  await until(() => w.accepted[1]?.text === "x");
  w.accepted[1]!.socket.write("y");
  await until(() => late.text === "y");
});

t.test("a cut of one direction leaves the other", async (t) => {
  for (const direction of ["to-server", "from-server"] as const) {
    const w = await world(t);
    const { client, server } = await w.join();
    const [deaf, heard] = direction === "to-server" ? [server, client] : [client, server];
    const [silenced, speaker] = direction === "to-server" ? [client, server] : [server, client];
    w.proxy.cut(direction, "drop");
    silenced.socket.write("lost for now");
    speaker.socket.write("still here");
    await until(() => heard.text === "still here");
    t.equal(deaf.text, "", direction);
    w.proxy.heal();
    await until(() => deaf.text === "lost for now");
  }
});

t.test("the end of a process behind a cut is not heard until the cut heals", async (t) => {
  const w = await world(t);
  const orderly = await w.join();
  const crashed = await w.join();
  w.proxy.cut("to-server", "drop");
  orderly.client.socket.end();
  crashed.client.socket.resetAndDestroy();
  // What the server says to the dead end of the line must not come back as news of its death either.
  crashed.server.socket.write("are you there?");
  orderly.server.socket.write("go on");
  await until(() => orderly.client.text === "go on");
  await sleep(clock, 100);
  t.notOk(orderly.server.ended || orderly.server.closed);
  t.notOk(crashed.server.ended || crashed.server.closed);
  w.proxy.heal();
  await until(() => orderly.server.ended);
  await until(() => crashed.server.closed || crashed.server.ended);
});

t.test("a cut that resets ends connections and refuses new ones until it heals", async (t) => {
  const w = await world(t);
  const { client, server } = await w.join();
  w.proxy.cut("both", "reset");
  await until(() => client.closed && server.closed);
  t.equal(client.error, "ECONNRESET");
  t.equal(server.error, "ECONNRESET");
  const refused = await w.dial();
  await until(() => refused.closed);
  t.equal(w.accepted.length, 1);
  w.proxy.heal();
  const again = await w.join();
  again.client.socket.write("back");
  await until(() => again.server.text === "back");
});

t.test("the way of a connection that waited out a reset is ended too", async (t) => {
  const w = await world(t);
  w.proxy.cut("both", "drop");
  const waiting = await w.dial();
  w.proxy.cut("both", "reset");
  await until(() => waiting.closed);
  w.proxy.heal();
  t.equal(w.accepted.length, 0);
});

t.test("a server that is down and comes back is a connection that ends, and a new one that works", async (t) => {
  const listener = createServer((socket) => socket.on("error", () => {}).end("up again"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  const proxy = await startProxy(port, clock);
  t.teardown(() => proxy.close());
  const w = new World(t, proxy, []);
  const refused = await w.dial();
  await until(() => refused.closed);
  await new Promise<void>((resolve) => listener.listen(port, "127.0.0.1", resolve));
  t.teardown(() => listener.close());
  const again = await w.dial();
  await until(() => again.text === "up again");
});

/** Time that passes when it is told to. */
function handClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    every: () => () => {},
    pass(ms) {
      now += ms;
      for (const timer of [...timers]) {
        if (timer.at > now || !timers.delete(timer)) continue;
        timer.run();
      }
    },
  };
}

t.test("a slow way delivers late, in order, and at once when it heals", async (t) => {
  const hand = handClock();
  const w = await world(t, hand);
  const { client, server } = await w.join();
  w.proxy.slow(500);
  let passedMs = 0;
  const passUntil = async (holds: () => boolean): Promise<void> => {
    for (; !holds(); passedMs += 50) {
      hand.pass(50);
      await sleep(clock, 5);
    }
  };
  client.socket.write("first ");
  await sleep(clock, 50);
  t.equal(server.text, "", "time stands still");
  await passUntil(() => server.text !== "");
  t.equal(server.text, "first ");
  t.ok(passedMs >= 500, "and it was late");
  client.socket.write("second ");
  client.socket.write("third ");
  await passUntil(() => server.text.endsWith("third "));
  t.equal(server.text, "first second third ");
  client.socket.end("last");
  await sleep(clock, 50);
  w.proxy.heal();
  await until(() => server.ended);
  t.equal(server.text, "first second third last");
});

t.test("R-CLU-5: what a cut holds back is bounded: the sender is made to wait", async (t) => {
  const w = await world(t);
  const { client, server } = await w.join();
  w.proxy.cut("to-server", "drop");
  const block = Buffer.alloc(1024 * 1024, "x");
  const blocks = 64;
  for (let count = 0; count < blocks; count++) client.socket.write(block);
  // A word the other way shows that the proxy has had its turns.
  server.socket.write("!");
  await until(() => client.text === "!");
  await sleep(clock, 200);
  t.ok(client.socket.writableLength > 32 * block.length, "most of it never left the sender");
  w.proxy.heal();
  client.socket.end();
  await until(() => server.ended);
  t.equal(server.text.length, blocks * block.length);
});
