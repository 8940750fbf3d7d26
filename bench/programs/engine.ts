/** The engine alone: one worker thread with actors, and a client on the main thread, as in a node, without anything else. */
import {
  createActorClient,
  createOwnershipTable,
  createShardMap,
  createThreadMesh,
  type RunningActorClient,
  SHARD_COUNT,
  spreadShards,
} from "../../src/actors/runtime/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import { systemRandom } from "../../src/lib/random.js";

const WORKER = "bench/shards-0";
const SPEAK_MS = 600_000;
/** Of a store that nobody used before. */
export const FIRST_EPOCH = 1;

export interface EngineData {
  /** Null: a store in memory. */
  readonly connectionString: string | null;
}
export interface Engine {
  readonly client: RunningActorClient;
  /** Options for one more ask. */
  options(): { commandId: string; caller: { id: string; role: string }; timeoutMs: number };
  stop(): Promise<void>;
}

export async function startEngine(data: EngineData): Promise<Engine> {
  const clock = systemClock();
  const shardMap = createShardMap(spreadShards([WORKER]));
  const ownership = createOwnershipTable(1);
  const epochs = new Map(Array.from({ length: SHARD_COUNT }, (_, shard) => [shard, FIRST_EPOCH]));
  ownership.grant(0, epochs);
  const speak = (): void => ownership.extend(ownership.moment(), SPEAK_MS);
  speak();
  const stopSpeaking = clock.every(SPEAK_MS / 10, speak);
  const mesh = createThreadMesh({
    self: "bench/gateway-0",
    threads: [{ endpoint: WORKER, role: "shards", script: new URL("./engine-thread.js", import.meta.url), data }],
    shardMap,
    ownership,
    clock,
    // A worker that died has lost what it was measured with: nothing after that would be a figure.
    beforeRestart: () => Promise.reject(new Error("The worker died.")),
    onFatal: (endpoint, reason) => {
      throw new Error(`${endpoint}: ${reason}`);
    },
  });
  const client = createActorClient({ link: mesh.link, shardMap, clock, random: systemRandom() });
  await mesh.start();
  let commands = 0;
  const caller = { id: "bench", role: "customer" };
  return {
    client,
    options: () => ({ commandId: `c${++commands}`, caller, timeoutMs: 120_000 }),
    async stop() {
      stopSpeaking();
      client.close();
      await mesh.stop();
    },
  };
}

export async function told<T>(
  result: Promise<{ ok: true; value: T } | { ok: false; error: { code: string } }>,
): Promise<T> {
  const answer = await result;
  if (!answer.ok) throw new Error(`An actor answered ${answer.error.code}.`);
  return answer.value;
}
