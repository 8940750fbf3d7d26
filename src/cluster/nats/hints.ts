/** Hints of ownership over NATS: said to whoever listens, never kept, never decisive. */
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { decode, encode } from "../../lib/msgpack.js";
import type { Random } from "../../lib/random.js";
import { systemRandom } from "../../lib/random.js";
import type { Hints, OwnershipHint } from "../ports.js";
import { openSteadyConnection } from "./connection.js";
import { isSoundMessagePack } from "./scan.js";
import { clusterSubjects } from "./subjects.js";

export interface NatsHintsOptions {
  readonly url: string;
  readonly cluster: string;
  /** Hints of this node itself are not heard. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random;
}

export interface NatsHints extends Hints {
  stats(): { readonly connected: boolean; readonly malformed: number };
}

const MAX_SHARDS = 65_536;
const MAX_WORKERS = 4_096;
const MAX_NODE_TEXT = 256;

/**
 * Opens a node's ear and mouth for hints. Returns at once; while NATS cannot be reached hints are lost, which is all the
 * same to the database. Throws as `openNatsLink` does.
 */
export function openNatsHints(options: NatsHintsOptions): NatsHints {
  const { url, cluster, node, clock, random = systemRandom() } = options;
  const log = options.log.child({ part: "nats-hints" });
  const subject = clusterSubjects(cluster).hints;
  const handlers: ((hint: OwnershipHint) => void)[] = [];
  let malformed = 0;

  function hear(bytes: Uint8Array): void {
    const hint = decodeHint(bytes);
    if (hint === null) {
      malformed += 1;
      if (malformed === 1) log.warn({}, "A hint on NATS was not understood and is ignored.");
      return;
    }
    if (hint.node === node) return;
    for (const handler of handlers) {
      try {
        handler(hint);
      } catch (error) {
        log.error({ error: String(error) }, "A handler of hints has thrown.");
      }
    }
  }

  const connection = openSteadyConnection({
    url,
    name: `${cluster}: ${node} hints`,
    clock,
    random,
    log,
    onUp: (nats) =>
      void nats.subscribe(subject, { callback: (error, message) => error === null && hear(message.data) }),
  });

  return {
    announce({ node: owner, workers, shards }) {
      try {
        connection.current?.publish(
          subject,
          encode([owner, workers, shards.map(({ shard, epoch }) => [shard, epoch])]),
        );
      } catch {
        // A hint may be lost.
      }
    },
    onHint: (handler) => void handlers.push(handler),
    close: () => connection.close(),
    stats: () => ({ connected: connection.current !== null, malformed }),
  };
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** Null for whatever is no hint. */
function decodeHint(bytes: Uint8Array): OwnershipHint | null {
  if (!isSoundMessagePack(bytes)) return null;
  let value: unknown;
  try {
    value = decode(bytes);
  } catch {
    return null;
  }
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [node, workers, list] = value as unknown[];
  if (typeof node !== "string" || node === "" || node.length > MAX_NODE_TEXT) return null;
  if (!isWhole(workers, MAX_WORKERS) || workers === 0 || !Array.isArray(list) || list.length > MAX_SHARDS) return null;
  const shards: { shard: number; epoch: number }[] = [];
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    const [shard, epoch] = pair as unknown[];
    if (!isWhole(shard, MAX_SHARDS) || !isWhole(epoch, Number.MAX_SAFE_INTEGER)) return null;
    shards.push({ shard, epoch });
  }
  return { node, workers, shards };
}
