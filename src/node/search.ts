/**
 * The thread that searches: one a node, whatever the number of gateways, because a catalogue is large. Owns the thread's
 * life and the pipes to it. While it is down searches answer `unavailable`, and nothing else suffers.
 */
import { BroadcastChannel, Worker } from "node:worker_threads";
import type { EndpointId } from "../actors/runtime/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Pipe } from "../services/search/mod.js";
import type { ThreadPlan } from "./plan.js";

/**
 * A pipe with a name: of the two threads that open it each hears what the other posts, in whatever order and however
 * often they come up.
 */
export function openPipe(plan: ThreadPlan, gateway: EndpointId): Pipe {
  const channel = new BroadcastChannel(`${plan.searchName} ${gateway}`);
  let closed = false;
  return {
    post(message) {
      if (!closed) channel.postMessage(message);
    },
    hear(handler) {
      channel.onmessage = (event: unknown) => handler((event as { readonly data: unknown }).data);
    },
    close() {
      closed = true;
      channel.close();
    },
  };
}

const RESTART_MS = { first: 200, most: 10_000 };
const STOP_PATIENCE_MS = 3_000;
/** Beyond it the machine has other troubles. */
const LOAD_PATIENCE_MS = 15_000;

/** Starts the thread, and again whenever it has died. */
export function startSearch(plan: ThreadPlan, clock: Clock, log: Log): { stop(): Promise<void> } {
  let worker: Worker | null = null;
  let loaded: Promise<void> = Promise.resolve();
  let isLoaded = false;
  let stopping = false;
  let crashes = 0;
  let restart: Cancel | null = null;

  function start(): void {
    restart = null;
    const started = new Worker(new URL("./search-thread.js", import.meta.url), {
      name: "search",
      workerData: plan,
      resourceLimits: { maxOldGenerationSizeMb: plan.config.search.memoryMegabytes },
    });
    worker = started;
    isLoaded = false;
    loaded = new Promise((resolve) => {
      started.once("message", () => {
        isLoaded = true;
        resolve();
      });
    });
    started.on("message", (message) => {
      if (message === "ready") crashes = 0;
    });
    started.on("error", (error) => log.error({ part: "search", error }, "The thread that searches has died"));
    started.on("exit", () => {
      worker = null;
      if (stopping) return;
      const pauseMs = Math.min(RESTART_MS.most, RESTART_MS.first * 2 ** Math.min(crashes++, 10));
      log.warn({ part: "search", pauseMs }, "The thread that searches is started again");
      restart = clock.after(pauseMs, start);
    });
  }

  async function within(wanted: Promise<void>, patienceMs: number): Promise<void> {
    let cancel: Cancel = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(patienceMs, resolve);
    });
    await Promise.race([wanted, late]);
    cancel();
  }

  start();
  return {
    async stop() {
      stopping = true;
      restart?.();
      const running = worker;
      if (running === null) return;
      const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()));
      running.postMessage("stop");
      await within(ended, STOP_PATIENCE_MS);
      if (worker === null) return;
      // A thread that is ended while it loads its modules takes the process with it: V8 aborts. It is let load first, and
      // then hears that it shall end.
      await within(Promise.race([loaded, ended]), LOAD_PATIENCE_MS);
      if (isLoaded) await running.terminate();
      else running.unref();
    },
  };
}
