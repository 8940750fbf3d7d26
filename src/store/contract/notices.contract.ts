/** What notices promise those who listen. Run on each implementation. */
import type { Test } from "tap";
import type { Json } from "../../lib/json.js";
import { MAX_NOTICE_BYTES, type Notices } from "../../lib/notices.js";

export interface NoticesUnderTest {
  /** Of one more thread. */
  open(): Notices;
  /** Cuts every line that listens; it is joined again by itself or by `join`. */
  cut(): Promise<void>;
  join(): Promise<void>;
}

/** What one listener heard, and how often it was told to read. */
interface Heard {
  readonly values: Json[];
  missed: number;
}

export async function noticesContract(t: Test, make: (t: Test) => Promise<NoticesUnderTest>): Promise<void> {
  function listening(
    notices: Notices,
    topic: string,
  ): { heard: Heard; stop(): void; until(holds: () => boolean): Promise<void> } {
    const heard: Heard = { values: [], missed: 0 };
    let wake: () => void = () => undefined;
    const stop = notices.listen(topic, {
      notice(value) {
        heard.values.push(value);
        wake();
      },
      missed() {
        heard.missed++;
        wake();
      },
    });
    return {
      heard,
      stop,
      async until(holds) {
        while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  }

  await t.test(
    "R-ADM-2: every listener of the topic hears it, whichever thread said it, and no other does",
    async (t) => {
      const under = await make(t);
      const [one, two] = [under.open(), under.open()];
      const [here, there, other] = [listening(one, "a.b"), listening(two, "a.b"), listening(two, "a.c")];
      for (const each of [here, there, other]) await each.until(() => each.heard.missed === 1);
      const value = { id: "é\u0000'\"\\ 🍕", n: [1, null, true, -2.5] };
      await one.publish("a.b", value);
      await two.publish("a.c", "end");
      for (const each of [here, there]) await each.until(() => each.heard.values.length > 0);
      await other.until(() => other.heard.values.length > 0);
      t.strictSame([here.heard.values, there.heard.values, other.heard.values], [[value], [value], ["end"]]);
    },
  );

  await t.test("R-ADM-2: what one thread says is heard in its order", async (t) => {
    const under = await make(t);
    const [one, two] = [under.open(), under.open()];
    const there = listening(two, "order");
    await there.until(() => there.heard.missed === 1);
    for (let n = 0; n < 50; n++) await one.publish("order", n);
    await there.until(() => there.heard.values.length === 50);
    t.strictSame(
      there.heard.values,
      Array.from({ length: 50 }, (_, n) => n),
    );
  });

  await t.test("R-ADM-2: who has stopped hears nothing more, and a listener that fails harms nobody", async (t) => {
    const under = await make(t);
    const one = under.open();
    const [stopped, kept] = [listening(one, "x"), listening(one, "x")];
    let failures = 0;
    one.listen("x", {
      notice() {
        failures++;
        throw new Error("this listener fails");
      },
      missed() {},
    });
    const last = listening(one, "x");
    for (const each of [stopped, kept, last]) await each.until(() => each.heard.missed === 1);
    stopped.stop();
    stopped.stop();
    await one.publish("x", 1);
    await one.publish("x", 2);
    for (const each of [kept, last]) await each.until(() => each.heard.values.length === 2);
    t.same(stopped.heard.values, []);
    t.equal(failures, 2);
  });

  await t.test("R-ADM-2: a listener that was cut off is told to read, and hears again", async (t) => {
    const under = await make(t);
    const [one, two] = [under.open(), under.open()];
    const there = listening(two, "x");
    await there.until(() => there.heard.missed === 1);
    await under.cut();
    await under.join();
    await there.until(() => there.heard.missed === 2);
    await one.publish("x", "after");
    await there.until(() => there.heard.values.includes("after"));
    t.strictSame(there.heard, { values: ["after"], missed: 2 });
  });

  await t.test("rule 16: what is no topic or too long is refused", async (t) => {
    const one = (await make(t)).open();
    const there = listening(one, "x");
    await there.until(() => there.heard.missed === 1);
    for (const topic of ["", "A", "a b", "1a", "x".repeat(65), "a'b"])
      await t.rejects(one.publish(topic, 1), RangeError);
    await t.rejects(one.publish("x", "é".repeat(MAX_NOTICE_BYTES / 2)), RangeError);
    const longest = "é".repeat((MAX_NOTICE_BYTES - '["x",""]'.length) / 2);
    await one.publish("x", longest);
    await there.until(() => there.heard.values.length === 1);
    t.equal(there.heard.values[0], longest);
  });
}
