/**
 * What the threads of a node ask each other when somebody wants to know how the node is. Requests go to any gateway
 * thread, so each of them has to be able to answer for all: the figures of every thread, and what the main thread alone
 * knows of the cluster.
 *
 * Invariants: whoever asks gets an answer within `PATIENCE_MS`, with what has come by then, and with how many threads have
 * said nothing; a thread that asks does not wait for itself.
 */
import { BroadcastChannel } from "node:worker_threads";
import type { EndpointId } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import { createMetrics, type MetricsSnapshot } from "../telemetry/mod.js";
import type { ThreadPlan } from "./plan.js";

/** A thread that is busy for longer than this is worth knowing of. */
const PATIENCE_MS = 1_000;

export type NodeInfo = Readonly<Record<string, unknown>>;

export interface Inquiry {
  /** Of all threads that join. */
  metrics(): Promise<readonly MetricsSnapshot[]>;
  /** What the main thread tells of the node; empty when it does not answer. */
  info(): Promise<NodeInfo>;
  close(): void;
}

type Message =
  | { readonly t: "ask"; readonly id: number; readonly from: EndpointId; readonly what: "metrics" | "info" }
  | {
      readonly t: "told";
      readonly id: number;
      readonly to: EndpointId;
      readonly by: EndpointId;
      readonly told: unknown;
    };

/** Gateways and shard workers join; the thread that searches is asked through its pipe. */
export function joinInquiry(options: {
  readonly plan: ThreadPlan;
  readonly self: EndpointId;
  readonly clock: Clock;
  readonly metrics: () => Promise<MetricsSnapshot>;
  /** Given on the main thread. */
  readonly info?: (() => NodeInfo) | undefined;
}): Inquiry {
  const { plan, self, clock, metrics, info } = options;
  const { gateways, workers } = plan;
  const others = [...gateways, ...workers].filter((endpoint) => endpoint !== self);
  const channel = new BroadcastChannel(`${plan.searchName} inquiry`);
  const waiting = new Map<number, (by: EndpointId, told: unknown) => void>();
  let asked = 0;
  let closed = false;

  const post = (message: Message): void => {
    if (!closed) channel.postMessage(message);
  };

  channel.onmessage = (event: unknown) => {
    const { data: message } = event as { readonly data: Message };
    if (message.t === "told") {
      if (message.to === self) waiting.get(message.id)?.(message.by, message.told);
      return;
    }
    const { id, from, what } = message;
    const tell = (told: unknown): void => post({ t: "told", id, to: from, by: self, told });
    if (what === "info") {
      if (info !== undefined) tell(info());
      return;
    }
    metrics().then(tell, () => undefined);
  };

  /** What has come from whom, once all of them have answered or the time is over. */
  function ask(what: "metrics" | "info", of: readonly EndpointId[]): Promise<ReadonlyMap<EndpointId, unknown>> {
    const told = new Map<EndpointId, unknown>();
    if (of.length === 0 || closed) return Promise.resolve(told);
    return new Promise((resolve) => {
      const id = ++asked;
      const settle = (): void => {
        cancel();
        waiting.delete(id);
        resolve(told);
      };
      const cancel = clock.after(PATIENCE_MS, settle);
      waiting.set(id, (by, answer) => {
        told.set(by, answer);
        if (told.size === of.length) settle();
      });
      post({ t: "ask", id, from: self, what });
    });
  }

  return {
    async metrics() {
      const [own, told] = await Promise.all([metrics(), ask("metrics", others)]);
      // Of this asking: kept by a thread, it would be told by that thread long after.
      const asking = createMetrics(self);
      asking
        .gauge({
          name: "swift_runtime_silent_threads_count",
          help: "Threads of the node that gave no figures within a second: too busy, or dead.",
        })
        .set(others.length - told.size);
      return [own, await asking.snapshot(), ...[...told.values()].map((snapshot) => snapshot as MetricsSnapshot)];
    },
    async info() {
      if (info !== undefined) return info();
      const told = await ask("info", [gateways[0]!]);
      return (told.get(gateways[0]!) as NodeInfo | undefined) ?? {};
    },
    close() {
      closed = true;
      channel.close();
    },
  };
}
