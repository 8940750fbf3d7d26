/**
 * The outer side of a program: starts it as a process of its own, waits until it says where it listens, asks it. Invariant:
 * it ends with this process, however this one ends, because it ends when the line between them does.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/lib/clock.js";
import { collectorFlags } from "../../src/node/collector.js";
import { ofThisScenario } from "./children.js";
import type { Address, FromProgram, RuntimeGauges, ToProgram } from "./program-messages.js";
import { COLLECTABLE } from "./settle.js";

const clock = systemClock();
const END_WITHIN_MS = 10_000;
/** What our nodes ask of the collector: no program is to be slower for want of it. */
const AS_OURS = collectorFlags(availableParallelism());

export interface Program {
  readonly pid: number;
  /** Throws when nobody can connect to it. */
  readonly address: Address;
  readonly note: unknown;
  /** Rejects with the program's reason when it refuses, and when it has ended. */
  ask(question: unknown): Promise<unknown>;
  /** Of the time since it was last asked. */
  gauges(): Promise<RuntimeGauges>;
  stop(): Promise<void>;
}

/** `script`: a compiled module that calls `serveProgram`. Rejects when it ends or fails before it is ready. */
export async function startProgram(
  script: URL,
  options: unknown,
  nodeOptions: readonly string[] = [],
): Promise<Program> {
  const child: ChildProcess = fork(fileURLToPath(script), [], {
    serialization: "advanced",
    execArgv: ["--enable-source-maps", ...AS_OURS, ...COLLECTABLE, ...nodeOptions],
    // Standard output is the figures' alone.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  ofThisScenario(child);
  const name = script.pathname.split("/").slice(-2).join("/");
  const waiting = new Map<number, { resolve(value: unknown): void; reject(cause: Error): void }>();
  let lastId = 0;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = new Promise<Extract<FromProgram, { t: "ready" }>>((resolve, reject) => {
    child.once("exit", (code, signal) => {
      const cause = new Error(`${name} ended before its time (${signal ?? code}).`);
      reject(cause);
      for (const each of waiting.values()) each.reject(cause);
      waiting.clear();
    });
    child.on("message", (message: FromProgram) => {
      switch (message.t) {
        case "loaded":
          child.send({ t: "start", options } satisfies ToProgram);
          return;
        case "ready":
          resolve(message);
          return;
        case "failed":
          reject(new Error(`${name}: ${message.reason}`));
          return;
        case "answer":
          waiting.get(message.id)?.resolve(message.value);
          waiting.delete(message.id);
          return;
        case "refused":
          waiting.get(message.id)?.reject(new Error(`${name}: ${message.reason}`));
          waiting.delete(message.id);
          return;
      }
    });
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    if (child.connected) child.send({ t: "stop" } satisfies ToProgram);
    const cancel = clock.after(END_WITHIN_MS, () => child.kill("SIGKILL"));
    await exited;
    cancel();
  };
  const ask = (make: (id: number) => ToProgram): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!child.connected) {
        reject(new Error(`${name} has ended.`));
        return;
      }
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      child.send(make(id));
    });
  try {
    const { address, note } = await ready;
    return {
      pid: child.pid!,
      get address(): Address {
        if (address === null) throw new Error(`${name} listens nowhere.`);
        return address;
      },
      note,
      ask: (question) => ask((id) => ({ t: "question", id, question })),
      gauges: () => ask((id) => ({ t: "gauges", id })) as Promise<RuntimeGauges>,
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
