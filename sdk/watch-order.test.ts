/** What a client does where no socket comes through: streams, polls, and commands by HTTP. */
import t from "tap";
import { type Clock, systemClock } from "../src/lib/clock.js";
import { VirtualClock } from "./fixtures/virtual-clock.js";
import { createClient, type OrderSource, type OrderView, watchOrder } from "./node.js";
import type { FetchLike, FetchResponse, SocketConstructor, SocketLike } from "./ports.js";

/** A network that swallows every socket. */
class NoSocket implements SocketLike {
  binaryType = "arraybuffer";
  readonly protocol = "";
  readonly bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  send(): void {}
  close(): void {}
}

const tracked = (version: number, status: string) => ({
  view: { orderId: "o1", version, status },
  fresh: true,
  serverTime: 0,
});
const json = (value: unknown): FetchResponse => ({ ok: true, body: null, json: async () => value });
const text = new TextEncoder();

/** One body: what is given at once, and then, unless it ends, silence until it is cancelled. */
function body(parts: readonly string[], ends: boolean): FetchResponse["body"] {
  const waiting = [...parts];
  let wake = (): void => undefined;
  return {
    getReader: () => ({
      async read() {
        const part = waiting.shift();
        if (part !== undefined) return { done: false, value: text.encode(part) };
        if (!ends) await new Promise<void>((resolve) => (wake = resolve));
        return { done: true };
      },
      async cancel() {
        wake();
      },
    }),
  };
}

function clientOn(fetch: FetchLike, clock: Clock = systemClock()) {
  return createClient({
    clock,
    url: "http://node.invalid",
    token: "token",
    WebSocket: NoSocket as unknown as SocketConstructor,
    fetch,
    commandsByHttpAfterMs: 5,
    connectTimeoutMs: 20,
    backoffBaseMs: 1,
    backoffMaxMs: 5,
  });
}

const FAST = { patienceMs: 5, streamPatienceMs: 20 };

t.test("R-TRK-1 R-PRO-3: where no socket comes, server-sent events bring the order, in rising versions", async (t) => {
  const events = [3, 2, 4].map((version) => `id: ${version}\ndata: ${JSON.stringify(tracked(version, "ready"))}\n\n`);
  const last = `data: ${JSON.stringify(tracked(5, "delivered"))}\n\n`;
  const client = clientOn(async () => ({ ok: true, body: body([...events, last], true), json: async () => null }));
  t.teardown(() => client.close());
  const versions: number[] = [];
  const sources: (OrderSource | null)[] = [];
  await new Promise<void>((resolve) => {
    const view = (next: OrderView): void => {
      versions.push(next.version);
      if (next.status === "delivered") resolve();
    };
    client.connect();
    watchOrder(client, "o1", { view, source: (source) => sources.push(source) }, FAST);
  });
  t.strictSame(versions, [3, 4, 5]);
  t.strictSame(sources, ["stream"]);
});

t.test("R-TRK-1 R-PRO-3: a stream that is held back gives way to polls", async (t) => {
  let polls = 0;
  const client = clientOn(async (url, { signal }) => {
    if (url.endsWith("/track")) {
      polls += 1;
      return json(tracked(polls, "delivered"));
    }
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(Object.assign(new Error("aborted"), { name: "AbortError" })));
    });
  });
  t.teardown(() => client.close());
  const sources: (OrderSource | null)[] = [];
  await new Promise<void>((resolve) => {
    client.connect();
    watchOrder(client, "o1", { view: () => resolve(), source: (source) => sources.push(source) }, FAST);
  });
  t.strictSame(sources, ["poll"]);
  t.equal(polls, 1);
});

t.test("R-TRK-1 R-PRO-3: a stream that broke and does not come back gives way to polls, and says so", async (t) => {
  const event = `id: 3\ndata: ${JSON.stringify(tracked(3, "ready"))}\n\n`;
  let streams = 0;
  let polls = 0;
  const clock = new VirtualClock();
  const client = clientOn(async (url) => {
    if (url.endsWith("/track")) {
      polls += 1;
      // At first nothing has changed since the stream broke; then the network is gone; then there is news.
      if (polls === 2) throw new Error("no network");
      return json(tracked(polls === 3 ? 4 : 3, polls === 3 ? "delivered" : "ready"));
    }
    streams += 1;
    if (streams === 1) return { ok: true, body: body([event], true), json: async () => null };
    // The second says nothing new and is well; the third never begins: the phone is in another network now.
    if (streams === 2) return { ok: true, body: body(["retry: 1\n\n"], true), json: async () => null };
    throw new Error("held back");
  }, clock);
  t.teardown(() => client.close());
  const sources: (OrderSource | null)[] = [];
  const versions: number[] = [];
  client.connect();
  const handlers = {
    view: ({ version }: OrderView) => versions.push(version),
    source: (source: OrderSource | null) => sources.push(source),
  };
  watchOrder(client, "o1", handlers, { clock });
  for (let seconds = 0; seconds < 60 && !versions.includes(4); seconds++) await clock.advance(1_000);
  t.strictSame(versions, [3, 4]);
  t.strictSame(sources, ["stream", null, "stream", null, "poll", null, "poll"]);
});

t.test("R-TRK-4: polls tell once that a view may be old, and once that it is not any more", async (t) => {
  const answers = [true, false, false, true, true].map((fresh) => ({ ...tracked(1, "ready"), fresh }));
  const client = clientOn(async () => json(answers.shift() ?? tracked(2, "delivered")));
  t.teardown(() => client.close());
  const told: [number, boolean][] = [];
  for await (const { view, fresh } of client.http.follow("o1", { everyMs: 1 })) told.push([view.version, fresh]);
  t.strictSame(told, [
    [1, true],
    [1, false],
    [1, true],
    [2, true],
  ]);
});

t.test(
  "R-ORD-5 R-PRO-3: without a socket a command goes by HTTP, under one key however often it is refused",
  async (t) => {
    const keys: string[] = [];
    const client = clientOn(async (url, { headers }) => {
      keys.push(headers["idempotency-key"] ?? "");
      t.match(url, /\/v1\/commands\/order\.cancel$/);
      if (keys.length === 1) {
        const error = { code: "unavailable", temporary: true, retryAfterMs: 1 };
        return { ok: false, body: null, json: async () => ({ error }) };
      }
      return json({ status: "cancelled", version: 7 });
    });
    t.teardown(() => client.close());
    client.connect();
    const reply = await client.command("order.cancel", { orderId: "o1", reason: "no" }, { idempotencyKey: "once" });
    t.strictSame(reply, { status: "cancelled", version: 7 });
    t.strictSame(keys, ["once", "once"]);
    t.strictSame(client.pending(), []);
  },
);
