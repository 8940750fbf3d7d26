import { createServer, type Server, type Socket } from "node:net";
import t, { type Test } from "tap";
import { type RunningServer, startRedis } from "../../../test/support/servers.js";
import { type Clock, sleep, systemClock } from "../../lib/clock.js";
import { recordingLog, silentLog } from "../../lib/log.js";
import { eventually, mirrorContract } from "../contract/mirror.contract.js";
import { createRedisMirror, type RedisMirror } from "./mod.js";

const clock = systemClock();
let prefixes = 0;

function open(t: Test, url: string, options: Partial<Parameters<typeof createRedisMirror>[0]> = {}): RedisMirror {
  const keyPrefix = `test-${++prefixes}:`;
  const mirror = createRedisMirror({ url, clock, log: silentLog, keyPrefix, ...options });
  t.teardown(() => mirror.close());
  return mirror;
}

/** Resolves when reads are answered. Fails the test by its own timeout. */
async function connected(mirror: RedisMirror): Promise<void> {
  for (;;) {
    const answered = await mirror.read(["anything"]).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(clock, 10);
  }
}

const entry = (key: string, counter: number, value: string, ttlMs = 60_000) => ({
  key,
  version: [1, counter] as const,
  value,
  expiresAt: clock.now() + ttlMs,
});

/** A door to the server that tests can shut, cut or leave unanswered. */
async function openDoor(t: Test, firstTarget: number) {
  let target = firstTarget;
  const open = new Set<Socket>();
  let silent = false;
  const server: Server = createServer((client) => {
    const upstream = new (client.constructor as typeof Socket)().connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => {
          open.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.on("data", (bytes) => {
      if (!silent) upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (!silent) client.write(bytes);
    });
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as { port: number };
  const shut = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    return closed;
  };
  t.teardown(() => (server.listening ? shut() : undefined));
  return {
    url: `redis://127.0.0.1:${port}`,
    shut,
    reopen: (to = target) => {
      target = to;
      return listen(port);
    },
    silence(on: boolean): void {
      silent = on;
    },
  };
}

t.test("the mirror in Redis", async (t) => {
  const redis: RunningServer = await startRedis();
  t.teardown(() => redis.stop());

  await t.test("keeps the mirror's contract", (t) =>
    mirrorContract(t, async (t) => {
      const keyPrefix = `contract-${++prefixes}:`;
      const mirror = open(t, redis.url, { keyPrefix });
      const otherNode = open(t, redis.url, { keyPrefix });
      await Promise.all([connected(mirror), connected(otherNode)]);
      return { mirror, otherNode, clock };
    }),
  );

  await t.test("R-CLU-5: without Redis a write is silent, a read rejects, and all comes back by itself", async (t) => {
    const door = await openDoor(t, redis.port);
    const log = recordingLog();
    const mirror = open(t, door.url, { log });
    await connected(mirror);
    mirror.write([entry("before", 1, "before")]);
    await eventually(mirror, ["before"], ([found]) => found !== null);

    await door.shut();
    await t.rejects(
      eventually(mirror, ["before"], () => false),
      { name: "MirrorUnavailable" },
    );
    mirror.write([entry("during", 1, "old"), entry("brief", 1, "gone before it comes back", 1)]);
    mirror.write([entry("during", 2, "new"), entry("before", 2, "changed")]);
    await t.rejects(mirror.read(["during"]), { name: "MirrorUnavailable" }, "at once, without waiting for a timeout");
    await sleep(clock, 20);
    t.equal(log.lines.filter(({ level }) => level === "warn").length, 1, "said once, not once per attempt");

    await door.reopen();
    await connected(mirror);
    const found = await eventually(
      mirror,
      ["during", "before", "brief"],
      ([one, two]) => one !== null && two?.value === "changed",
    );
    t.strictSame(
      found.map((one) => one?.value ?? null),
      ["new", "changed", null],
    );
    t.equal(mirror.queued(), 0);
    t.ok(log.lines.some(({ message }) => message === "Redis is back."));
  });

  await t.test("R-CLU-5: a Redis that takes everything and answers nothing is given up and tried anew", async (t) => {
    const door = await openDoor(t, redis.port);
    const mirror = open(t, door.url);
    await connected(mirror);
    door.silence(true);
    mirror.write([entry("k", 1, "v")]);
    await t.rejects(mirror.read(["k"]), { name: "MirrorUnavailable" });
    door.silence(false);
    await connected(mirror);
    const [found] = await eventually(mirror, ["k"], ([one]) => one !== null);
    t.equal(found?.value, "v", "what had no answer was written again");
  });

  await t.test("rule 16: the queue is bounded; what waits longest is dropped", async (t) => {
    const door = await openDoor(t, redis.port);
    const mirror = open(t, door.url, { maxQueued: 10 });
    await connected(mirror);
    await door.shut();
    await t.rejects(eventually(mirror, ["x"], () => false));
    for (let i = 0; i < 25; i++) mirror.write([entry(`k${i}`, 1, "v")]);
    t.strictSame([mirror.queued(), mirror.dropped()], [10, 15]);
    await door.reopen();
    await connected(mirror);
    await eventually(mirror, ["k24"], ([one]) => one !== null);
    const found = await mirror.read(Array.from({ length: 25 }, (_, i) => `k${i}`));
    t.strictSame(
      found.map((one) => one !== null),
      Array.from({ length: 25 }, (_, i) => i >= 15),
    );
  });

  await t.test("R-GPS-5: Redis itself forgets a value when its time is up", async (t) => {
    const keyPrefix = "ttl:";
    const mirror = open(t, redis.url, { keyPrefix });
    // A clock that stands still: only Redis' own expiry can take the value away.
    const stopped: Clock = { ...clock, now: () => 1_000 };
    const reader = open(t, redis.url, { keyPrefix, clock: stopped });
    await Promise.all([connected(mirror), connected(reader)]);
    mirror.write([entry("k", 1, "v", 300)]);
    t.not((await eventually(reader, ["k"], ([one]) => one !== null))[0], null);
    t.equal((await eventually(reader, ["k"], ([one]) => one === null))[0], null);
  });

  await t.test("closing writes what waits", async (t) => {
    const keyPrefix = "closing:";
    const mirror = open(t, redis.url, { keyPrefix, batchDelayMs: 60_000 });
    const reader = open(t, redis.url, { keyPrefix });
    await Promise.all([connected(mirror), connected(reader)]);
    mirror.write(Array.from({ length: 600 }, (_, i) => entry(`k${i}`, 1, "v")));
    await mirror.close();
    const found = await reader.read(Array.from({ length: 600 }, (_, i) => `k${i}`));
    t.equal(found.filter((one) => one !== null).length, 600);
    mirror.write([entry("late", 1, "v")]);
    t.equal(mirror.queued(), 0, "a closed mirror takes nothing");
  });
});

t.test("R-CLU-5: a killed Redis is met again when it is back, empty", async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const door = await openDoor(t, redis.port);
  const mirror = open(t, door.url);
  await connected(mirror);
  mirror.write([entry("k", 1, "v")]);
  await eventually(mirror, ["k"], ([one]) => one !== null);
  await redis.kill();
  await t.rejects(
    eventually(mirror, ["k"], () => false),
    { name: "MirrorUnavailable" },
  );
  t.doesNotThrow(() => mirror.write([entry("k2", 1, "written while it was dead")]));
  await door.shut();

  const next = await startRedis();
  t.teardown(() => next.stop());
  await door.reopen(next.port);
  await connected(mirror);
  const [late] = await eventually(mirror, ["k2"], ([one]) => one !== null);
  t.equal(late?.value, "written while it was dead");
  t.strictSame(await mirror.read(["k"]), [null], "nothing is kept on disk: the actors fill it again");
});
