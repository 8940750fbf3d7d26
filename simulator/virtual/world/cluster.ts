/**
 * The nodes of a world and whoever supervises them: a process that ended by itself or could not start is started again, as
 * a service manager would. Owns machines (their clocks, the release they run); does not own when anything is done to them.
 */
import { type AnyActorDefinition, SHARD_COUNT } from "../../../src/actors/runtime/mod.js";
import { desiredOwner, shardEndpoint } from "../../../src/cluster/mod.js";
import type { Json } from "../../../src/lib/json.js";
import type { ProcessClock } from "../ports.js";
import { type Life, type Surroundings, startLife } from "./node.js";

export interface Machine {
  readonly node: string;
  readonly url: string;
  readonly life: Life | null;
  /** True from a crash or a planned stop until somebody starts it. */
  readonly isDown: boolean;
  start(): void;
  /** `machine`: with everything that could tell the others. */
  crash(machine?: boolean): void;
  /** As a service manager does it: SIGTERM, and SIGKILL after a while. Resolves when the process has ended. */
  stop(): Promise<void>;
  pause(): void;
  resume(): void;
  skew(ms: number): void;
  drift(partsPerMillion: number): void;
  /** The next start runs the next release. */
  upgrade(): void;
  readonly upgraded: boolean;
}

export interface Cluster {
  readonly machines: readonly Machine[];
  readonly urls: readonly string[];
  startAll(): void;
  /** What keeps the cluster from being at rest, in words: empty when every shard is served where it belongs. */
  unsettled(): readonly string[];
}

const AGAIN_MS = 1_000;
const KILL_MS = 15_000;

export function createCluster(surroundings: Surroundings, definitions: readonly AnyActorDefinition[]): Cluster {
  const { world } = surroundings;
  const next = nextRelease(definitions);
  const machines = Array.from({ length: world.sizes.nodes }, (_, index) => createMachine(`n${index + 1}`));

  function createMachine(node: string): Machine {
    const { scheduler, trace } = world;
    const url = `http://${node}.example`;
    let life: Life | null = null;
    let clock: ProcessClock | null = null;
    let lives = 0;
    let isDown = true;
    let upgraded = false;
    let skewMs = 0;
    let partsPerMillion = 0;

    function begin(): void {
      lives++;
      const name = `${node}-${lives}`;
      clock = scheduler.process(name);
      clock.skew(skewMs);
      clock.drift(partsPerMillion);
      trace.note("start", node, [lives, upgraded ? 1 : 0], () => `${name} starts${upgraded ? " (next release)" : ""}`);
      const { life: begun, started } = startLife({
        ...surroundings,
        node,
        life: name,
        url,
        clock,
        definitions: upgraded ? next : definitions,
        onFatal: (reason) => endedItself(begun, reason),
      });
      life = begun;
      started.then(
        () => trace.note("up", node, [lives], () => `${name} is up`),
        (reason: unknown) => endedItself(begun, reason),
      );
    }

    function endedItself(ended: Life, reason: unknown): void {
      if (life !== ended || ended.state === "over") return;
      trace.note("ended", node, [lives], () => `${ended.life} ends: ${String(reason)}`);
      ended.crash();
      scheduler.clock.after(AGAIN_MS, () => {
        if (life === ended && !isDown) begin();
      });
    }

    return {
      node,
      url,
      get life() {
        return life;
      },
      get isDown() {
        return isDown;
      },
      get upgraded() {
        return upgraded;
      },
      start() {
        if (!isDown) return;
        isDown = false;
        begin();
      },
      crash(whole = false) {
        isDown = true;
        const what = whole ? "the machine of " : "";
        trace.note("crash", node, [lives, whole ? 1 : 0], () => `${what}${node}-${lives} crashes`);
        life?.crash(whole);
      },
      async stop() {
        const stopping = life;
        isDown = true;
        if (stopping === null || stopping.state === "over") return;
        trace.note("stop", node, [lives], () => `${stopping.life} is asked to stop`);
        await Promise.race([stopping.stop(), new Promise<void>((resolve) => scheduler.clock.after(KILL_MS, resolve))]);
        stopping.crash();
        trace.note("stopped", node, [lives], () => `${stopping.life} has stopped`);
      },
      pause() {
        clock?.pause();
      },
      resume() {
        clock?.resume();
      },
      skew(ms) {
        skewMs = ms;
        clock?.skew(ms);
      },
      drift(parts) {
        partsPerMillion = parts;
        clock?.drift(parts);
      },
      upgrade() {
        upgraded = true;
      },
    };
  }

  return {
    machines,
    urls: machines.map(({ url }) => url),
    startAll() {
      for (const machine of machines) machine.start();
    },
    unsettled() {
      const waits: string[] = [];
      for (const { node, life } of machines) {
        if (life === null || life.state !== "up") waits.push(`${node} is ${life?.state ?? "down"}`);
        else if (life.clock.state !== "running") waits.push(`${node} is ${life.clock.state}`);
      }
      if (waits.length > 0) return waits;
      const lives = machines.map(({ life }) => life as Life);
      const nodes = machines.map(({ node }) => node);
      const workers = world.sizes.workersPerNode;
      for (let shard = 0; shard < SHARD_COUNT; shard++) {
        const row = surroundings.database.ownership.shards.get(shard);
        const wanted = desiredOwner(shard, nodes) as string;
        if (row === undefined || row.node !== wanted) {
          waits.push(`shard ${shard} is ${row === undefined ? "nobody's" : `${row.node}'s`}, not ${wanted}'s`);
        } else if (!lives.some((life) => life.node === wanted && life.serves(shard, row.epoch))) {
          waits.push(`shard ${shard} is not served under epoch ${row.epoch} by ${wanted}`);
        } else {
          const endpoint = shardEndpoint(wanted, workers, shard);
          const lost = lives.find((life) => life.workers.shardMap.ownerOf(shard) !== endpoint);
          if (lost !== undefined) waits.push(`${lost.node} does not know that shard ${shard} is ${wanted}'s`);
        }
        if (waits.length >= 3) break;
      }
      return waits;
    },
  };
}

/**
 * The release after this one: every kind's state has a newer version, to which the stored ones are led. Nodes of the release
 * before cannot read what it has written.
 */
function nextRelease(definitions: readonly AnyActorDefinition[]): readonly AnyActorDefinition[] {
  return definitions.map((definition) =>
    definition.durability === "volatile"
      ? definition
      : {
          ...definition,
          version: definition.version + 1,
          migrate: { ...definition.migrate, [definition.version]: (state: Json) => structuredClone(state) },
        },
  );
}
