import t from "tap";
import { createScheduler } from "../time/scheduler.js";
import { createWire } from "./wire.js";

const START = Date.UTC(2026, 0, 1);

function world() {
  const scheduler = createScheduler(1, START);
  const process = scheduler.process("p");
  const wire = createWire(scheduler.clock, process);
  const served: number[] = [];
  const heard: string[] = [];
  const ask = (number: number, backMs: number | null = 5): void => {
    wire
      .send({
        thereMs: 5,
        backMs,
        patienceMs: 1_000,
        silence: () => new Error("silence"),
        serve: async () => {
          served.push(number);
          if (number < 0) throw new Error("refused");
          return number;
        },
      })
      .then(
        (answer) => heard.push(`${answer} at ${scheduler.now - START}`),
        (error: Error) => heard.push(`${error.message} at ${scheduler.now - START}`),
      );
  };
  const until = (ms: number): Promise<boolean> => scheduler.until(() => false, START + ms);
  return { process, wire, served, heard, ask, until };
}

t.test("R-SIM-2: a request travels, is served once, and its answer travels back", async (t) => {
  const { served, heard, ask, until } = world();
  ask(1);
  ask(-2);
  await until(2_000);
  t.same(served, [1, -2]);
  t.same(heard, ["1 at 10", "refused at 10"]);
});

t.test("R-SIM-2: with its answer lost a request has been served, and the caller hears silence", async (t) => {
  const { served, heard, ask, until } = world();
  ask(1, null);
  await until(2_000);
  t.same(served, [1]);
  t.same(heard, ["silence at 1000"]);
});

t.test("R-SIM-2: what is sent into a cut is served after it, and answered to nobody", async (t) => {
  const { wire, served, heard, ask, until } = world();
  wire.cut();
  ask(1);
  await until(3_000);
  t.same(served, []);
  t.same(heard, ["silence at 1000"]);
  wire.heal();
  ask(2);
  await until(4_000);
  t.same(served, [1, 2]);
  t.same(heard, ["silence at 1000", "2 at 3010"]);
});

t.test("R-SIM-2: an answer that meets a cut is lost", async (t) => {
  const { wire, served, heard, ask, until } = world();
  ask(1);
  await until(6);
  wire.cut();
  await until(500);
  wire.heal();
  await until(2_000);
  t.same(served, [1]);
  t.same(heard, ["silence at 1000"]);
});

t.test("R-SIM-2: a dead process hears nothing, though its last words are served", async (t) => {
  const { process, served, heard, ask, until } = world();
  ask(1);
  process.die();
  ask(2);
  await until(5_000);
  t.same(served, [1]);
  t.same(heard, []);
});

t.test("R-SIM-2: a process that sleeps hears the answer when it wakes, not its own impatience", async (t) => {
  const { process, heard, ask, until } = world();
  ask(1);
  await until(6);
  process.pause();
  await until(5_000);
  t.same(heard, []);
  process.resume();
  await until(6_000);
  t.same(heard, ["1 at 5000"]);
});
