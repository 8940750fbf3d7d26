import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { createClient, openFileStorage } from "./node.js";

t.test("R-PRO-3: commands of a program that ended go on when it starts again, under the same keys", async (t) => {
  const path = join(t.testdir(), "deep", "queue.json");
  const node = new LoopbackNode();
  const url = await node.listen();
  t.teardown(() => node.close());
  const options = { url, token: "token", deviceId: "van", backoffBaseMs: 5, backoffMaxMs: 10 };

  const storage = await openFileStorage(path);
  const first = createClient({ ...options, storage });
  first.command("driver.pickup", { orderId: "o-1" }, { idempotencyKey: "one" }).catch(() => undefined);
  first.command("driver.deliver", { orderId: "o-1" }, { idempotencyKey: "two" }).catch(() => undefined);
  await storage.settled();
  const image = readFileSync(path);
  first.close();
  await storage.settled();
  // It did not close: it was killed before.
  writeFileSync(path, image);

  const outcomes: string[] = [];
  const again = await openFileStorage(path);
  const second = createClient({
    ...options,
    storage: again,
    onRestored: ({ idempotencyKey, ok }) => outcomes.push(`${idempotencyKey} ${ok}`),
  });
  second.connect();
  while (outcomes.length < 2) await sleep(systemClock(), 2);
  t.strictSame(outcomes, ["one true", "two true"]);
  t.equal(node.effects.size, 2, "each once");
  second.close();
  // The directory goes with the test: whatever is still being written would be in the way.
  await again.settled();
});

t.test(
  "R-PRO-3: commands that an older version kept in one text are found, and kept singly from then on",
  async (t) => {
    const path = join(t.testdir(), "queue.json");
    const command = (key: string) => ({ key, type: "driver.pickup", body: { orderId: key }, notAfter: 9e12 });
    writeFileSync(path, JSON.stringify({ other: "text", van: JSON.stringify(["b", "a"].map(command)) }));
    for (const start of ["first", "second"]) {
      const storage = await openFileStorage(path);
      const client = createClient({ url: "http://n", token: "token", storage, storageKey: "van" });
      const keys = client.pending().map(({ idempotencyKey }) => idempotencyKey);
      t.strictSame(keys, ["b", "a"], `the ${start} start`);
      await storage.settled();
      t.strictSame(Object.keys(JSON.parse(readFileSync(path, "utf8"))).sort(), ["other", "van/a", "van/b"]);
      client.close();
    }
  },
);

t.test("R-PRO-3: the file is the newest of what was given, and what is not ours is not overwritten", async (t) => {
  const path = join(t.testdir(), "texts.json");
  const storage = await openFileStorage(path);
  for (let n = 0; n < 50; n++) storage.setItem("a", String(n));
  storage.setItem("b", "kept");
  storage.removeItem("a");
  await storage.settled();
  t.strictSame(JSON.parse(readFileSync(path, "utf8")), { b: "kept" });
  t.equal((await openFileStorage(path)).getItem("b"), "kept");
  writeFileSync(path, "[1]");
  await t.rejects(openFileStorage(path), /is not ours/);
  t.equal(readFileSync(path, "utf8"), "[1]");
});
