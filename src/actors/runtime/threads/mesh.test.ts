import t, { type Test } from "tap";
import { systemClock } from "../../../lib/clock.js";
import { systemRandom } from "../../../lib/random.js";
import { endOfTurn } from "../../../lib/schedule.js";
import { createActorClient, type RunningActorClient } from "../client-impl/client.js";
import type { ActorClientSettings } from "../client-impl/settings.js";
import { actorRef } from "../definition.js";
import { SHARD_COUNT } from "../ports.js";
import { shardOf } from "../shard.js";
import type { EchoData } from "./fixtures/echo-thread.js";
import { createThreadMesh, type MeshEvent, type ThreadMesh, type ThreadSpec } from "./mesh.js";
import { createOwnershipTable, type OwnershipTable } from "./ownership.js";
import type { MeshSettings } from "./settings.js";
import { type AssignableShardMap, createShardMap, spreadShards } from "./shard-map.js";

interface Answer {
  readonly self: string;
  readonly commandId: string;
  readonly epoch: number | null;
  readonly mayEmit: boolean;
  readonly owner: string | null;
  readonly owned: readonly unknown[];
}
const Echo = actorRef<{ do: { input: { what: string; to?: string }; reply: Answer } }>("echo");
const caller = { id: "c", role: "customer" };
const script = new URL("./fixtures/echo-thread.js", import.meta.url);
const clock = systemClock();

/** A key of an actor whose shard belongs to this worker at first. */
const keyOf = (worker: number, workers: number): string => {
  for (let n = 0; ; n++) if (shardOf({ kind: "echo", key: `k${n}` }) % workers === worker) return `k${n}`;
};

interface Node {
  readonly mesh: ThreadMesh;
  readonly client: RunningActorClient;
  readonly events: MeshEvent[];
  readonly fatal: string[];
  /** What `beforeRestart` was called with. */
  readonly restarts: number[];
  readonly shardMap: AssignableShardMap;
  readonly ownership: OwnershipTable;
  /** Lets spinning threads go. */
  release(): void;
  /** Whether any has begun to spin. */
  spinning(): boolean;
  /** Asks and gives the value; throws on a refusal. */
  ask(key: string, what: string, commandId: string, to?: string): Promise<Answer>;
  /** Resolves once an event of the kind has been reported for the endpoint. */
  until(kind: MeshEvent["kind"], endpoint: string): Promise<MeshEvent>;
}

interface NodeOptions {
  readonly workers?: number;
  readonly gateways?: number;
  readonly credit?: number;
  readonly broken?: boolean;
  readonly spec?: Partial<ThreadSpec>;
  readonly settings?: Partial<MeshSettings>;
  readonly clientSettings?: Partial<ActorClientSettings>;
  readonly beforeRestart?: (worker: number, raise: () => void) => Promise<void>;
}

function makeNode(t: Test, options: NodeOptions = {}): Node {
  const { workers = 2, gateways = 0 } = options;
  const ownership = createOwnershipTable(workers);
  ownership.extend(ownership.moment(), 600_000);
  const epochs = new Map<number, number>();
  const owners = Array.from({ length: workers }, (_, worker) => `n/shards-${worker}`);
  const shardMap = createShardMap(spreadShards(owners));
  const raise = (worker: number): void => {
    for (let shard = worker; shard < SHARD_COUNT; shard += workers) epochs.set(shard, (epochs.get(shard) ?? 0) + 1);
    mesh.grant(worker, new Map([...epochs].filter(([shard]) => shard % workers === worker)));
  };
  const release = new Int32Array(new SharedArrayBuffer(8));
  const data: EchoData = {
    credit: options.credit ?? 100,
    release: release.buffer as SharedArrayBuffer,
    broken: options.broken ?? false,
  };
  const events: MeshEvent[] = [];
  const fatal: string[] = [];
  const restarts: number[] = [];
  let waiting: { kind: string; endpoint: string; resolve: (event: MeshEvent) => void }[] = [];
  const spec = { script, data, ...options.spec };
  const mesh = createThreadMesh({
    self: "n/main",
    threads: [
      ...owners.map((endpoint) => ({ endpoint, role: "shards" as const, ...spec })),
      ...Array.from({ length: gateways }, (_, n) => ({
        endpoint: `n/gateway-${n}`,
        role: "gateway" as const,
        ...spec,
      })),
    ],
    shardMap,
    ownership,
    clock,
    settings: { heartbeatMs: 20, checkMs: 40, stuckMs: 5_000, restartMinMs: 5, restartMaxMs: 20, ...options.settings },
    async beforeRestart(worker) {
      restarts.push(worker);
      if (options.beforeRestart !== undefined) await options.beforeRestart(worker, () => raise(worker));
      else raise(worker);
    },
    onFatal: (endpoint) => void fatal.push(endpoint),
    onEvent(event) {
      events.push(event);
      const met = waiting.filter(({ kind, endpoint }) => kind === event.kind && endpoint === event.endpoint);
      waiting = waiting.filter((wait) => !met.includes(wait));
      for (const { resolve } of met) resolve(event);
    },
  });
  for (let worker = 0; worker < workers; worker++) raise(worker);
  const client = createActorClient({
    link: mesh.link,
    shardMap,
    clock,
    random: systemRandom(),
    // A slow machine may take its time to give credit back.
    settings: { askTimeoutMs: 30_000, admissionWaitMs: 30_000, ...options.clientSettings },
  });
  t.teardown(async () => {
    Atomics.store(release, 0, 1);
    client.close();
    await mesh.stop();
  });
  return {
    mesh,
    client,
    events,
    fatal,
    restarts,
    shardMap,
    ownership,
    release: () => void Atomics.store(release, 0, 1),
    spinning: () => Atomics.load(release, 1) > 0,
    async ask(key, what, commandId, to) {
      const input = to === undefined ? { what } : { what, to };
      const result = await client.ask(Echo, key, "do", input, { commandId, caller });
      if (!result.ok) throw new Error(result.error.code);
      return result.value;
    },
    until: (kind, endpoint) => new Promise((resolve) => waiting.push({ kind, endpoint, resolve })),
  };
}

t.test(
  "R-ENG-1: each shard's messages reach the one worker that has it, from main and from other workers",
  async (t) => {
    const node = makeNode(t);
    await node.mesh.start();
    const [even, odd] = [keyOf(0, 2), keyOf(1, 2)];
    t.match(await node.ask(even, "echo", "1"), { self: "n/shards-0", commandId: "1", epoch: 1, mayEmit: true });
    t.match(await node.ask(odd, "echo", "2"), { self: "n/shards-1", commandId: "2", epoch: 1 });
    t.match(await node.ask(even, "pass", "3", "n/shards-1"), { self: "n/shards-1", commandId: "3", epoch: null });
    const many = await Promise.all(Array.from({ length: 500 }, (_, n) => node.ask(`k${n}`, "echo", `m${n}`)));
    t.same(
      many.map(({ self, commandId }) => [self, commandId]),
      many.map((_, n) => [`n/shards-${shardOf({ kind: "echo", key: `k${n}` }) % 2}`, `m${n}`]),
    );
  },
);

for (const [way, exitCode] of [
  ["exit", 3],
  ["throw", 1],
  ["spin", 1],
] as const) {
  t.test(
    `R-ENG-8, R-ENG-4: a worker lost by ${way} is replaced; what it was asked is answered by its successor`,
    async (t) => {
      const node = makeNode(t, way === "spin" ? { settings: { stuckMs: 1_000 } } : {});
      await node.mesh.start();
      const [even, odd] = [keyOf(0, 2), keyOf(1, 2)];
      const seen: string[] = [];
      node.mesh.link.peers((peer, change) => seen.push(`${peer} ${change}`));
      await node.ask(even, "echo", "before");
      const [fatal, behind, ...later] = await Promise.all([
        node.ask(even, way, "the fatal one"),
        node.ask(even, "echo", "behind it"),
        node.ask(odd, "echo", "elsewhere"),
      ]);
      t.match(fatal, { self: "n/shards-0", commandId: "the fatal one", epoch: 2 }, "same id, raised epoch");
      t.match(behind, { self: "n/shards-0", commandId: "behind it", epoch: 2 });
      t.match(later, [{ self: "n/shards-1", epoch: 1 }]);
      t.same(node.restarts, [0]);
      t.same(seen.slice(2), ["n/shards-0 down", "n/shards-0 up"]);
      const died = node.events.filter((event) => event.kind === "died");
      t.match(died, [{ endpoint: "n/shards-0", exitCode }]);
      t.equal(
        node.events.some((event) => event.kind === "stuck"),
        way === "spin",
      );
      if (way === "throw") t.match(died, [{ error: { message: "thrown on request" } }]);
      t.match(await node.ask(odd, "pass", "across", "n/shards-0"), { self: "n/shards-0" }, "others got new ports, too");
    },
  );
}

t.test("R-ENG-8: a worker that runs out of its memory is replaced without harm to the node", async (t) => {
  const node = makeNode(t, { workers: 1, spec: { resourceLimits: { maxOldGenerationSizeMb: 24 } } });
  await node.mesh.start();
  t.match(await node.ask(keyOf(0, 1), "fill", "1"), { epoch: 2 });
  t.match(
    node.events.filter((event) => event.kind === "died"),
    [{ error: { code: "ERR_WORKER_OUT_OF_MEMORY" } }],
  );
});

t.test("R-ENG-6: a worker that does not keep up answers overloaded through its credit", async (t) => {
  const node = makeNode(t, { workers: 1, credit: 2, clientSettings: { admissionWaitMs: 20, maxWaitingPerPeer: 1 } });
  await node.mesh.start();
  const key = keyOf(0, 1);
  // The first answer shows that the credit has arrived; from then on waiting is brief.
  await node.ask(key, "echo", "1");
  for (const commandId of ["2", "3"]) node.ask(key, "hold", commandId).catch(() => {});
  const results = await Promise.all(
    ["4", "5"].map((commandId) => node.client.ask(Echo, key, "do", { what: "echo" }, { commandId, caller })),
  );
  for (const result of results) {
    t.match(result, { ok: false, error: { code: "overloaded", temporary: true } });
    t.ok(!result.ok && (result.error.retryAfterMs ?? 0) > 0);
  }
});

t.test("R-ENG-8: nothing is replaced before its epochs are raised, however often that fails", async (t) => {
  let attempts = 0;
  const node = makeNode(t, {
    workers: 1,
    async beforeRestart(_, raise) {
      attempts += 1;
      if (attempts < 3) throw new Error("the store is away");
      raise();
    },
  });
  await node.mesh.start();
  const failed: number[] = [];
  node.mesh.link.peers((_, change) => change === "up" && failed.push(attempts));
  t.match(await node.ask(keyOf(0, 1), "exit", "1"), { epoch: 2 });
  t.equal(attempts, 3);
  t.same(failed, [0, 3]);
  t.equal(node.events.filter((event) => event.kind === "restart_failed").length, 2);
  t.equal(node.mesh.threads()[0]?.crashes, 1, "the store's absence is no crash");
});

t.test("R-ENG-8: a dead worker's ownership is revoked at once, a revoked shard's at any time", async (t) => {
  let asked = (resume: () => void): void => void resume;
  const askedToResume = new Promise<() => void>((resolve) => {
    asked = resolve;
  });
  const node = makeNode(t, {
    beforeRestart: (_, raise) =>
      new Promise((resolve) => {
        asked(() => {
          raise();
          resolve();
        });
      }),
  });
  await node.mesh.start();
  const key = keyOf(0, 2);
  const shard = shardOf({ kind: "echo", key });
  const died = node.until("died", "n/shards-0");
  const answer = node.ask(key, "exit", "1");
  await died;
  t.equal(node.ownership.epochOf(0, shard), null);
  t.equal(node.ownership.epochOf(1, shardOf({ kind: "echo", key: keyOf(1, 2) })), 1);
  const resume = await askedToResume;
  t.equal(node.ownership.epochOf(0, shard), null);
  resume();
  t.match(await answer, { epoch: 2 });
  node.mesh.revoke(0, [shard]);
  t.match(await node.ask(key, "echo", "2"), { epoch: null, owned: [{ gained: [], lost: [shard] }] });
  node.mesh.grant(0, new Map([[shard, 7]]));
  t.match(await node.ask(key, "echo", "3"), { epoch: 7, owned: [{}, { gained: [shard], lost: [] }] });
  node.ownership.silence();
  t.match(await node.ask(key, "echo", "4"), { mayEmit: false });
});

t.test("R-CLU-1: a worker owns its shards until it has given them up, or has died", async (t) => {
  const node = makeNode(t);
  await node.mesh.start();
  const key = keyOf(0, 2);
  const shard = shardOf({ kind: "echo", key });
  const said = new Promise<string>((resolve) => {
    node.mesh.link.receive((_, messages) => {
      for (const message of messages) if (message.t === "told") resolve(`${message.number} under ${message.from.key}`);
    });
  });
  await node.mesh.release(0, [shard]);
  t.equal(node.ownership.epochOf(0, shard), null);
  t.equal(await said, `${shard} under 1`);
  const others = Array.from({ length: SHARD_COUNT }, (_, n) => n).filter((n) => n % 2 === 0 && n !== shard);
  await node.mesh.release(0, others.slice(0, 2));
  t.match(
    node.events.filter((event) => event.kind === "died"),
    [{ endpoint: "n/shards-0", exitCode: 3 }],
  );
});

t.test("R-CLU-1: a worker that gives a shard up late keeps it under the epoch that came meanwhile", async (t) => {
  const node = makeNode(t, { workers: 1, settings: { stuckMs: 60_000 } });
  await node.mesh.start();
  const busy = keyOf(0, 1);
  const [shard, other] = [7, 8];
  const before = node.ownership.epochOf(0, shard)!;
  node.ask(busy, "spin", "1").catch(() => {});
  while (!node.spinning()) await new Promise<void>((resolve) => endOfTurn(resolve));
  const released = [node.mesh.release(0, [shard]), node.mesh.release(0, [other])];
  // It takes too long: the shard is taken away, moves, and comes back.
  node.mesh.revoke(0, [shard]);
  node.mesh.grant(0, new Map([[shard, before + 2]]));
  node.release();
  await Promise.all(released);
  t.equal(node.ownership.epochOf(0, shard), before + 2);
  t.equal(node.ownership.epochOf(0, other), null);
});

t.test("R-ENG-8: a crash loop ends: the mesh gives up and says so", async (t) => {
  const node = makeNode(t, { workers: 1, broken: true, settings: { maxCrashes: 3 } });
  await t.rejects(node.mesh.start(), /n\/shards-0 cannot be kept alive: it crashed 3 times/);
  t.same(node.fatal, ["n/shards-0"]);
  t.same(node.restarts, [0, 0]);
  t.match(node.mesh.threads(), [{ state: "failed", crashes: 3 }]);
  const pauses = node.events.flatMap((event) => (event.kind === "restarting" ? [event.pauseMs] : []));
  t.same(pauses, [0, 5]);
});

t.test("R-ENG-8: a stuck gateway thread is reported but never ended; a dead one is replaced", async (t) => {
  const node = makeNode(t, { workers: 1, gateways: 1, settings: { stuckMs: 1_000 } });
  await node.mesh.start();
  const key = keyOf(0, 1);
  // Routes this shard's asks to the gateway thread, which answers them like a worker here.
  node.shardMap.assign([[shardOf({ kind: "echo", key }), "n/gateway-0"]]);
  const stuck = node.until("stuck", "n/gateway-0");
  const answer = node.ask(key, "spin", "1");
  await stuck;
  node.release();
  t.match(await answer, { self: "n/gateway-0", epoch: null }, "its ports live");
  // The map's changes come by another port than the asks, so one may overtake the other.
  let owner: string | null = null;
  for (let n = 0; owner !== "n/gateway-0"; n++) ({ owner } = await node.ask(key, "echo", `map ${n}`));
  t.equal(owner, "n/gateway-0", "its map follows");
  t.same(
    node.events.filter((event) => event.kind === "died"),
    [],
  );
  const died = node.until("died", "n/gateway-0");
  t.match(await node.ask(key, "exit", "2"), { self: "n/gateway-0", owner: "n/gateway-0" });
  t.match(await died, { exitCode: 3 });
  t.same(node.restarts, [], "gateways own nothing, so no epoch is raised for them");
});

t.test("a clean stop waits for the threads' own stop handlers", async (t) => {
  const node = makeNode(t, { gateways: 1 });
  const said: string[] = [];
  await node.mesh.start();
  node.client.close();
  node.mesh.link.receive((_, messages) => {
    for (const message of messages) if (message.t === "told") said.push(message.from.key);
  });
  await node.mesh.stop();
  t.same(
    node.events.flatMap((event) => (event.kind === "stopped" ? [`${event.endpoint} ${event.cleanly}`] : [])).sort(),
    ["n/gateway-0 true", "n/shards-0 true", "n/shards-1 true"],
  );
  t.same(said.sort(), ["n/gateway-0", "n/shards-0", "n/shards-1"]);
  t.same(
    node.mesh.threads().map((thread) => thread.state),
    ["stopped", "stopped", "stopped"],
  );
  t.equal(node.restarts.length, 0);
});

t.test(
  "R-CLU-4: all gateways are opened and drained at once and waited for, but not one that says nothing",
  async (t) => {
    const node = makeNode(t, { workers: 1, gateways: 2 });
    await node.mesh.start();
    const said: string[] = [];
    node.client.close();
    node.mesh.link.receive((_, messages) => {
      for (const message of messages) if (message.t === "told") said.push(message.from.key);
    });
    await node.mesh.open();
    // They say it by another way than the one by which the mesh hears.
    while (said.length < 2) await new Promise<void>((resolve) => endOfTurn(resolve));
    t.same(said.splice(0).sort(), ["n/gateway-0 opens", "n/gateway-1 opens"]);
    await node.mesh.drain(600_000);
    while (said.length < 2) await new Promise<void>((resolve) => endOfTurn(resolve));
    t.same(said.sort(), ["n/gateway-0 drains", "n/gateway-1 drains"]);
    t.same(
      node.mesh.threads().map((thread) => thread.state),
      ["running", "running", "running"],
      "they go on until they are stopped",
    );
    const stuck = makeNode(t, { workers: 1, gateways: 1 });
    await stuck.mesh.start();
    stuck.mesh.link.send("n/gateway-0", {
      t: "ask",
      id: 1,
      to: { kind: "echo", key: "k" },
      name: "do",
      input: { what: "spin" },
      commandId: "1",
      bodyHash: "",
      caller,
      notAfter: null,
    });
    while (!stuck.spinning()) await new Promise<void>((resolve) => endOfTurn(resolve));
    await stuck.mesh.drain(50);
  },
);

t.test("a worker that does not stop by itself is ended", async (t) => {
  const node = makeNode(t, { workers: 1, settings: { stopTimeoutMs: 100, stuckMs: 60_000 } });
  await node.mesh.start();
  node.ask(keyOf(0, 1), "spin", "1").catch(() => {});
  while (!node.spinning()) await new Promise<void>((resolve) => endOfTurn(resolve));
  await node.mesh.stop();
  t.match(
    node.events.filter((event) => event.kind === "stopped"),
    [{ endpoint: "n/shards-0", cleanly: false }],
  );
});

t.test("settings and threads that cannot work are refused at once", async (t) => {
  const ownership = createOwnershipTable(1);
  const make = (threads: readonly ThreadSpec[], settings: Partial<MeshSettings> = {}): ThreadMesh =>
    createThreadMesh({
      self: "n/main",
      threads,
      shardMap: createShardMap(),
      ownership,
      clock,
      settings,
      beforeRestart: async () => {},
      onFatal: () => {},
    });
  const spec = (endpoint: string): ThreadSpec => ({ endpoint, role: "shards", script });
  t.throws(() => make([spec("n/main")]), /same name/);
  t.throws(() => make([spec("a"), spec("b")]), /room for 1 of 2/);
  t.throws(() => make([spec("a")], { stuckMs: 10, heartbeatMs: 20 }), /stuckMs \(10\).*heartbeatMs \(20\)/);
});
