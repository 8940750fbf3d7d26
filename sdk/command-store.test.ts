import t from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { seededRandom } from "../src/lib/random.js";
import { type ScriptedSocket, scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { settled, VirtualClock } from "./fixtures/virtual-clock.js";
import { type Client, type ClientOptions, createClient, type SwiftEatsError } from "./node.js";
import type { StorageLike } from "./ports.js";

const KEY = "kept";
const MINUTE = 60_000;

/** A device's storage of which the client knows three methods only. */
function plainStorage(texts = new Map<string, string>()): StorageLike & { readonly texts: Map<string, string> } {
  return {
    texts,
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, value) => void texts.set(key, value),
    removeItem: (key) => void texts.delete(key),
  };
}

interface Opened {
  readonly client: Client;
  readonly made: ScriptedSocket[];
  readonly outcomes: string[];
}

function open(options: Partial<ClientOptions> & Pick<ClientOptions, "storage" | "clock">): Opened {
  const { Socket, made } = scriptedSockets();
  const outcomes: string[] = [];
  const client = createClient({
    url: "http://n",
    token: "t",
    deviceId: "device",
    storageKey: KEY,
    WebSocket: Socket,
    random: seededRandom(1),
    onRestored: (outcome) =>
      outcomes.push(`${outcome.idempotencyKey} ${outcome.ok ? "done" : (outcome.error as SwiftEatsError).code}`),
    ...options,
  });
  return { client, made, outcomes };
}

async function welcome({ client, made }: Opened, serverTs: number): Promise<ScriptedSocket> {
  client.connect();
  const socket = made.at(-1)!;
  socket.opens();
  socket.receives(WELCOME(serverTs));
  await settled();
  return socket;
}

const commandsOf = (socket: ScriptedSocket): unknown[] =>
  socket.sent.filter(([op]) => op === 4).map(([, , key]) => key);
const answer = (socket: ScriptedSocket, key: string, frame: (id: unknown) => unknown[]): void =>
  socket.receives(frame(socket.sent.find(([op, , its]) => op === 4 && its === key)![1]));
const old = (key: string, notAfter: number) => ({ key, type: "order.ready", body: { orderId: key }, notAfter });

t.test("R-PRO-3: what is too late after a restart is told once, and keeps nothing else from going on", async (t) => {
  const clock = new VirtualClock();
  const now = clock.now();
  const kept = [old("a", now + MINUTE), old("b", now - 1), old("c", now - 1), old("d", now + MINUTE)];
  const storage = plainStorage(new Map([[KEY, JSON.stringify(kept)]]));
  const thrown: unknown[] = [];
  const told: string[] = [];
  const opened: Opened = open({
    storage,
    clock,
    onRestored: ({ idempotencyKey }) => {
      told.push(`${idempotencyKey}, ${opened.client.pendingCommands} left`);
      throw new Error(`the page is not ready for ${idempotencyKey}`);
    },
  });
  const { client } = opened;
  const hear = (error: unknown): unknown => thrown.push(error);
  process.on("unhandledRejection", hear);
  t.teardown(() => process.off("unhandledRejection", hear));
  t.equal(client.pendingCommands, 4, "which of them are late, only a node can say");
  const socket = await welcome(opened, now);
  t.same(commandsOf(socket), ["a", "d"]);
  t.same(told, ["b, 2 left", "c, 2 left"]);
  for (const key of ["a", "d"]) answer(socket, key, (id) => [17, id, {}]);
  await settled();
  t.equal(told.length, 4);
  await sleep(systemClock(), 0);
  t.equal(thrown.length, 4, "what the page throws is heard of, as anything that a page throws");
  t.equal(storage.texts.size, 0, "no later start finds them");
  client.close();
});

t.test("R-PRO-3: after a restart the node's clock says what is too late, not the device's", async (t) => {
  const clock = new VirtualClock();
  const storage = plainStorage();
  const first = open({ storage, clock, commandTtlMs: 15 * MINUTE });
  await welcome(first, clock.now() - 20 * MINUTE);
  first.client.command("order.accept", { orderId: "1", prepMinutes: 5 }, { idempotencyKey: "sent" }).catch(() => {});
  first.client.command("order.ready", { orderId: "1" }, { idempotencyKey: "behind" }).catch(() => {});
  await settled();
  const image = new Map(storage.texts);

  for (const [laterMs, goesOn] of [
    [10 * MINUTE, true],
    [16 * MINUTE, false],
  ] as const) {
    await clock.advance(laterMs - clock.monotonic());
    const again = open({ storage: plainStorage(new Map(image)), clock });
    await settled();
    t.same(again.outcomes, [], "the device is twenty minutes ahead");
    const socket = await welcome(again, clock.now() - 20 * MINUTE);
    t.same(commandsOf(socket), goesOn ? ["sent"] : []);
    t.same(again.outcomes, goesOn ? [] : ["sent timeout", "behind expired"], "one may have happened, one has not");
    again.client.close();
  }
  first.client.close();
});

t.test("R-PRO-3: a node's “expired” tells that nothing was done only of what was never sent before", async (t) => {
  const clock = new VirtualClock();
  const kept = [{ ...old("sent", clock.now() + MINUTE), sent: true }, old("new", clock.now() + MINUTE)];
  const opened = open({ storage: plainStorage(new Map([[KEY, JSON.stringify(kept)]])), clock });
  const socket = await welcome(opened, clock.now());
  for (const key of ["sent", "new"]) answer(socket, key, (id) => [18, id, "expired", false, 0]);
  await settled();
  t.same(opened.outcomes, ["sent timeout", "new expired"]);
  opened.client.close();
});

t.test("R-PRO-3: what was given before the node told its time lasts no shorter than it was meant to", async (t) => {
  for (const wrongMs of [-20 * MINUTE, 20 * MINUTE]) {
    const clock = new VirtualClock();
    const trueTime = clock.now() + wrongMs;
    const storage = plainStorage();
    const first = open({ storage, clock, commandTtlMs: 15 * MINUTE });
    first.client.command("order.ready", { orderId: "1" }, { idempotencyKey: "offline" }).catch(() => {});
    const second = open({ storage: plainStorage(new Map(storage.texts)), clock });
    await clock.advance(5 * MINUTE);
    const socket = await welcome(second, trueTime + 5 * MINUTE);
    t.same(commandsOf(socket), ["offline"]);
    const notAfter = socket.sent.find(([op]) => op === 4)![5] as number;
    t.ok(Math.abs(notAfter - (trueTime + (wrongMs < 0 ? 35 : 15) * MINUTE)) < 1000, "told in the node's time");
    first.client.close();
    second.client.close();
  }
});

t.test("R-PRO-3: a final close leaves what has no answer on the device, for the next start", async (t) => {
  for (const code of [4500, 4504, 4505, 4506, 1000]) {
    const clock = new VirtualClock();
    const storage = plainStorage();
    const first = open({ storage, clock });
    const socket = await welcome(first, clock.now());
    const codes: string[] = [];
    for (const key of ["sent", "behind"]) {
      first.client
        .command("driver.deliver", { orderId: key }, { idempotencyKey: key })
        .catch(({ code: told }: SwiftEatsError) => codes.push(told));
    }
    await settled();
    if (code === 1000) first.client.close();
    else socket.closes(code, "the node says no");
    await settled();
    t.same(codes, ["closed", "closed"]);
    t.equal(first.client.pendingCommands, 0);

    const second = open({ storage, clock });
    const line = await welcome(second, clock.now());
    for (const key of ["sent", "behind"]) {
      answer(line, key, (id) => [17, id, {}]);
      await settled();
    }
    t.same(second.outcomes, ["sent done", "behind done"], `after ${code}`);
    t.equal(storage.texts.size, 0);
    second.client.close();
  }
});

t.test("R-PRO-3: of a storage that cannot list what it holds, each change is to what lies there", async (t) => {
  const clock = new VirtualClock();
  const storage = plainStorage();
  const [one, two] = [open({ storage, clock }), open({ storage, clock })];
  const gives = ({ client }: Opened, idempotencyKey: string): void => {
    client.command("driver.deliver", { orderId: "o" }, { idempotencyKey }).catch(() => undefined);
  };
  gives(one, "a");
  gives(two, "b");
  gives(one, "c");
  const socket = await welcome(one, clock.now());
  answer(socket, "a", (id) => [17, id, {}]);
  const again = open({ storage, clock });
  t.same(
    again.client.pending().map(({ idempotencyKey }) => idempotencyKey),
    ["b", "c"],
  );
  for (const { client } of [one, two, again]) client.close();
});

t.test("R-PRO-3: one command given twice is kept once, at its place, until both are answered", async (t) => {
  const clock = new VirtualClock();
  const storage = plainStorage();
  const first = open({ storage, clock });
  const stop = new AbortController();
  const gives = (idempotencyKey: string, signal?: AbortSignal): void => {
    const options = { idempotencyKey, ...(signal === undefined ? {} : { signal }) };
    first.client.command("driver.deliver", { orderId: "o" }, options).catch(() => undefined);
  };
  gives("a", stop.signal);
  gives("b");
  gives("a");
  const kept = (): string[] => JSON.parse(storage.texts.get(KEY)!).map(({ key }: { key: string }) => key);
  t.same(kept(), ["a", "b"]);
  stop.abort();
  t.same(kept(), ["a", "b"], "the other one still waits");
  first.client.close();
});

t.test("R-PRO-3: what found no room is kept as soon as there is some", async (t) => {
  const clock = new VirtualClock();
  const plain = plainStorage();
  let full = true;
  const storage: StorageLike = {
    ...plain,
    get length() {
      return plain.texts.size;
    },
    key: (index) => [...plain.texts.keys()][index] ?? null,
    setItem(key, value) {
      if (full) throw new Error("QuotaExceededError");
      plain.setItem(key, value);
    },
  };
  const { client } = open({ storage, clock });
  client.command("driver.pickup", { orderId: "o" }, { idempotencyKey: "a" }).catch(() => undefined);
  t.equal(plain.texts.size, 0);
  full = false;
  client.command("driver.deliver", { orderId: "o" }, { idempotencyKey: "b" }).catch(() => undefined);
  t.same([...plain.texts.keys()], [`${KEY}/a`, `${KEY}/b`]);
  client.close();
});

t.test("R-PRO-3: where no socket comes through, the node itself says by HTTP what is too late", async (t) => {
  const clock = new VirtualClock();
  const late = { error: { code: "expired", temporary: false } };
  // All three are late by the device's clock, one of them by the node's, too.
  const kept = [old("good", clock.now() - 1), old("late", clock.now() - MINUTE), { ...old("sent", 1), sent: true }];
  const storage = plainStorage(new Map([[KEY, JSON.stringify(kept)]]));
  const opened = open({
    storage,
    clock,
    commandsByHttpAfterMs: 5_000,
    fetch: async (_url, { headers }) => {
      const ok = headers["idempotency-key"] === "good";
      return { ok, body: null, json: async () => (ok ? {} : late) };
    },
  });
  opened.client.connect();
  await clock.advance(4_000);
  t.same(opened.outcomes, []);
  await clock.advance(2_000);
  t.same(opened.outcomes.toSorted(), ["good done", "late expired", "sent timeout"]);
  t.equal(storage.texts.size, 0);
  opened.client.close();
});
