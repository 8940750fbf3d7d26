/** Starts generator processes and talks to them. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { ofThisScenario } from "../harness/children.js";
import type { CustomerPlan, DriverPlan, FromGenerator, ToGenerator } from "./messages.js";

const clock = systemClock();
const SAY_EVERY_MS = 20_000;
const SCRIPT = fileURLToPath(new URL("./generator.js", import.meta.url));

type Report = Extract<FromGenerator, { t: "report" }>;
type Progress = Omit<Extract<FromGenerator, { t: "progress" }>, "t">;

export interface Generator {
  readonly child: ChildProcess;
  progress: Progress;
  report(): Promise<Report>;
  tell(message: ToGenerator): void;
}

/** On standard error: what is printed on standard output is the figures alone. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export async function startGenerator(plan: DriverPlan | CustomerPlan): Promise<Generator> {
  const child = ofThisScenario(fork(SCRIPT, [], { serialization: "advanced" }));
  const generator: Generator = {
    child,
    progress: { connected: 0, picked: 0, closed: 0 },
    tell: (message) => {
      if (child.connected) child.send(message);
    },
    report: () =>
      new Promise((resolve) => {
        const listen = (message: FromGenerator): void => {
          if (message.t !== "report") return;
          child.off("message", listen);
          resolve(message);
        };
        child.on("message", listen);
        child.send({ t: "report" } satisfies ToGenerator);
      }),
  };
  await new Promise<void>((resolve) => {
    child.on("message", (message: FromGenerator) => {
      if (message.t === "ready") resolve();
      if (message.t === "progress") generator.progress = message;
    });
  });
  generator.tell({ t: "plan", plan });
  return generator;
}

const NEARLY_ALL = 0.96;
const STUCK_MS = 45_000;

/**
 * All orders are on their way, or nearly all and the rest not for long: a driver for each is found soon only while there
 * are drivers to choose from, and with one driver for each order the last have to wait. Ask for a few more than are
 * wanted on the way.
 */
export function nearlyAll(drivers: Generator, orderCount: number): () => boolean {
  let [most, at] = [0, clock.monotonic()];
  return () => {
    const { picked } = drivers.progress;
    if (picked > most) [most, at] = [picked, clock.monotonic()];
    return picked >= orderCount || (picked >= NEARLY_ALL * orderCount && clock.monotonic() - at > STUCK_MS);
  };
}

/** Waits until `done`, saying now and then how far it is. Throws after `seconds`. */
export async function until(what: string, seconds: number, done: () => boolean, show: () => string): Promise<void> {
  const began = clock.monotonic();
  const deadline = began + seconds * 1000;
  let sayAt = began + SAY_EVERY_MS;
  while (!done()) {
    if (clock.monotonic() > deadline) throw new Error(`${what}: not there after ${seconds} s (${show()})`);
    await sleep(clock, 500);
    if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${show()}   `);
    else if (clock.monotonic() >= sayAt) {
      sayAt += SAY_EVERY_MS;
      note(`${what}: ${show()} …`);
    }
  }
  note(`${what}: ${show()}, after ${Math.round((clock.monotonic() - began) / 1000)} s`);
}
