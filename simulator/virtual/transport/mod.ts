/**
 * The network between devices and gateways, in virtual time. Owns who listens where, and what a crash does to the lines of
 * a node. A device's troubles are `device.ts`'s, a line's `line.ts`'s.
 */
import type { FetchLike, SocketConstructor } from "../../../sdk/mod.js";
import type { NativeApp } from "../../../src/gateway/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { randomInteger } from "../../../src/lib/random.js";
import type { ProcessView, Transport, World } from "../ports.js";
import { Device, type LineHabits } from "./device.js";
import { Listener } from "./listener.js";
import { wordsOf } from "./words.js";

export type { VirtualAnswer } from "./client-fetch.js";
export { Device, type LineHabits } from "./device.js";

export interface VirtualTransport extends Transport<NativeApp, SocketConstructor, FetchLike> {
  open(process: ProcessView, url: string): NativeApp;
  /** `machine`: all of it died, and says nothing until the node is started again. Absent: chance decides. */
  crash(process: ProcessView, machine?: boolean): void;
  device(name: string, clock: Clock, habits?: Partial<LineHabits>): Device;
  /** The most that gateways had waiting for a device on a socket, and their longest message to it, in bytes. */
  unsent(): readonly { readonly device: string; readonly most: number; readonly longest: number }[];
}

/** Every so many crashes take the whole machine: its lines say nothing until the node is started again. */
const MACHINE_CRASH_CHANCE = 0.3;

export function createTransport(
  world: Pick<World, "scheduler" | "streams" | "trace"> & { readonly faults: Pick<World["faults"], "happened"> },
): VirtualTransport {
  const { scheduler, streams, trace, faults } = world;
  /** By address: the newest life that listened there, alive or not. */
  const listeners = new Map<string, Listener>();
  const crashes = streams.of("transport crashes");
  let devices = 0;

  const told = (device: string, way: "up" | "down", bytes: number, message: Uint8Array | string): void =>
    trace.note(way, device, [bytes], () => wordsOf(way, message));

  const unsent = new Map<string, { most: number; longest: number }>();
  function waits(device: string, bytes: number, message: number): void {
    const known = unsent.get(device) ?? { most: 0, longest: 0 };
    unsent.set(device, { most: Math.max(known.most, bytes), longest: Math.max(known.longest, message) });
  }

  return {
    open(process, url) {
      const before = listeners.get(url);
      before?.machineIsBack();
      const listener = new Listener(process, told, waits);
      listeners.set(url, listener);
      return listener;
    },
    crash(process, machine = crashes.next() < MACHINE_CRASH_CHANCE) {
      for (const listener of listeners.values()) {
        if (listener.process.life !== process.life || listener.state === "crashed") continue;
        if (machine && listener.openLines > 0) faults.happened("client_half_open", process.node, "machine");
        listener.crash(!machine);
      }
    },
    unsent: () => [...unsent].map(([device, { most, longest }]) => ({ device, most, longest })),
    device(name, clock, habits = {}) {
      const random = streams.of(`line ${name}`);
      const number = devices++;
      return new Device({
        name,
        world: scheduler.clock,
        clock,
        random,
        address: `10.1.${number >> 8}.${number & 255}`,
        habits: {
          delayMs: 2 + randomInteger(random, 60),
          jitterMs: randomInteger(random, 30),
          lossChance: 0.01,
          bytesPerMs: 50 + randomInteger(random, 1000),
          windowBytes: random.next() < 0.4 ? 512 : 2 * 1024 + randomInteger(random, 30 * 1024),
          ...habits,
        },
        listenerAt(origin) {
          const listener = listeners.get(origin);
          if (listener === undefined) return "refused";
          if (listener.state === "listening") return listener;
          return listener.machineAnswers ? "refused" : "unreachable";
        },
        told,
        repeated: (device) => faults.happened("client_duplicate_send", device),
      });
    },
  };
}
