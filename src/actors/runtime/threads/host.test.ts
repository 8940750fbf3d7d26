import t, { type Test } from "tap";
import { systemClock } from "../../../lib/clock.js";
import { systemRandom } from "../../../lib/random.js";
import { endOfTurn } from "../../../lib/schedule.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import type { ChannelItem } from "../client.js";
import { createActorClient, type RunningActorClient } from "../client-impl/client.js";
import { SHARD_COUNT } from "../ports.js";
import { type CounterData, CounterRef } from "./fixtures/counter-thread.js";
import { serveStore } from "./fixtures/remote-store.js";
import { createThreadMesh } from "./mesh.js";
import { createOwnershipTable } from "./ownership.js";
import { createShardMap, spreadShards } from "./shard-map.js";

const caller = { id: "c", role: "customer" };
const shardsOf = (worker: number): number[] =>
  Array.from({ length: SHARD_COUNT / 2 }, (_, index) => index * 2 + worker);

/** Two shard workers with the real engine on one store, and this thread's client. */
async function startNode(t: Test, name: string): Promise<{ client: RunningActorClient; restarts: number[] }> {
  const clock = systemClock();
  const store = createMemoryActorStore({ clock });
  const channel = `store of ${name}`;
  const stopServing = serveStore(channel, store);
  const ownership = createOwnershipTable(2);
  ownership.extend(ownership.moment(), 600_000);
  const shardMap = createShardMap(spreadShards(["n/shards-0", "n/shards-1"]));
  const restarts: number[] = [];
  const claim = async (worker: number): Promise<void> =>
    mesh.grant(worker, await store.claimShards("n", shardsOf(worker)));
  const data: CounterData = { store: channel };
  const script = new URL("./fixtures/counter-thread.js", import.meta.url);
  const mesh = createThreadMesh({
    self: "n/main",
    threads: [0, 1].map((worker) => ({ endpoint: `n/shards-${worker}`, role: "shards", script, data })),
    shardMap,
    ownership,
    clock,
    settings: { heartbeatMs: 50 },
    async beforeRestart(worker) {
      restarts.push(worker);
      await claim(worker);
    },
    onFatal: (endpoint, reason) => t.fail(`${endpoint}: ${reason}`),
  });
  const client = createActorClient({
    link: mesh.link,
    shardMap,
    clock,
    random: systemRandom(),
    settings: { askTimeoutMs: 30_000, admissionWaitMs: 30_000 },
  });
  t.teardown(async () => {
    client.close();
    await mesh.stop();
    stopServing();
  });
  await Promise.all([claim(0), claim(1)]);
  await mesh.start();
  return { client, restarts };
}

for (const how of ["die-in-handler", "die-after-commit"] as const) {
  t.test(
    `R-ENG-4, R-ENG-8: a worker that dies (${how}) loses no command and repeats none; subscriptions go on`,
    async (t) => {
      const { client, restarts } = await startNode(t, how);
      const add = (key: string, commandId: string, input: { how: "well" | typeof how } = { how: "well" }) =>
        client.ask(CounterRef, key, "add", input, { commandId, caller });
      const seen: ChannelItem[] = [];
      const starts: boolean[] = [];
      const ended: string[] = [];
      const address = { kind: "counter", key: "a", channel: "counts" };
      await new Promise<void>((resolve) =>
        client.subscribe(address, caller, null, {
          subscribed(start) {
            starts.push(start.recovered);
            resolve();
          },
          event: (item) => void seen.push(item),
          slot: () => {},
          ended: ({ code }) => void ended.push(code),
        }),
      );
      t.match(await add("a", "1"), { ok: true, value: { count: 1, epoch: 1 } });
      const commands = [
        add("a", "2"),
        add("a", how, { how }),
        ...Array.from({ length: 50 }, (_, n) => add("a", `a${n}`)),
        ...Array.from({ length: 50 }, (_, n) => add(`k${n}`, `k${n}`)),
      ];
      const results = await Promise.all(commands);
      t.same(
        results.filter((result) => !result.ok),
        [],
      );
      const ofA = results.slice(0, 52).flatMap((result) => (result.ok ? [result.value.count] : []));
      t.same(
        ofA.sort((x, y) => x - y),
        Array.from({ length: 52 }, (_, n) => n + 2),
        "each command once",
      );
      t.equal(restarts.length, 1);
      t.same(await add("a", how, { how }), results[1], "asked again, it gets its first reply again");
      t.match(await client.ask(CounterRef, "a", "read", null, { commandId: "r", caller }), { value: { count: 53 } });
      while (seen.length < 53) await new Promise<void>((resolve) => endOfTurn(resolve));
      t.same(
        seen.map(({ offset, body }) => [offset, body]),
        Array.from({ length: 53 }, (_, n) => [n + 1, n + 1]),
        "no gap, no repeat",
      );
      t.same([starts, ended], [[false], []], "the sink saw nothing of it");
    },
  );
}
