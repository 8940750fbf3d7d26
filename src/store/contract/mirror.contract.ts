/** What every mirror promises: newest wins, nothing outlives its time. Run on each adapter. */
import type { Test } from "tap";
import type { MirrorEntry, MirrorPort } from "../../actors/runtime/ports.js";
import { type Clock, sleep, systemClock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";

export interface MirrorUnderTest {
  readonly mirror: MirrorPort;
  /** Another node's mirror on the same data. */
  readonly otherNode: MirrorPort;
  readonly clock: Clock;
}

export type MakeMirror = (t: Test) => Promise<MirrorUnderTest>;

const clock = systemClock();
const PATIENCE_MS = 10_000;

/** Reads until the value is what is expected: a write is on its way for a while. Gives the last answer. */
export async function eventually(
  mirror: MirrorPort,
  keys: readonly string[],
  expected: (found: readonly (MirrorEntry | null)[]) => boolean,
): Promise<readonly (MirrorEntry | null)[]> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const found = await mirror.read(keys);
    if (expected(found) || clock.monotonic() > deadline) return found;
    await sleep(clock, 5);
  }
}

export async function mirrorContract(t: Test, make: MakeMirror): Promise<void> {
  const entry = (under: MirrorUnderTest, key: string, epoch: number, counter: number, value: Json, ttlMs = 60_000) => ({
    key,
    version: [epoch, counter] as const,
    value,
    expiresAt: under.clock.now() + ttlMs,
  });
  /** A write that comes after everything written so far by this mirror, to know when that has arrived. */
  let marks = 0;
  const arrived = async (under: MirrorUnderTest, writer: MirrorPort = under.mirror): Promise<void> => {
    const key = `mark-${++marks}`;
    writer.write([entry(under, key, 1, 1, true)]);
    await eventually(under.mirror, [key], ([found]) => found !== null);
  };

  await t.test("R-GPS-5: values are read by any node in the order of the keys, null where there is none", async (t) => {
    const under = await make(t);
    const value = { status: "on the way", at: [48.1, 11.5], none: null, text: 'a "b" 東京 \u0000 🛵', gone: undefined };
    const first = entry(under, "order:1", 3, 7, value);
    under.mirror.write([first, entry(under, "order:2", 1, 1, 5)]);
    await arrived(under);
    const found = await under.otherNode.read(["order:2", "nothing", "order:1", "order:2"]);
    t.strictSame(
      found.map((one) => one?.value ?? null),
      [5, null, { status: "on the way", at: [48.1, 11.5], none: null, text: 'a "b" 東京 \u0000 🛵' }, 5],
    );
    t.strictSame(found[2]?.version, [3, 7]);
    t.equal(found[2]?.expiresAt, first.expiresAt);
    t.equal(found[2]?.key, "order:1");
    t.strictSame(await under.mirror.read([]), []);
  });

  await t.test("R-GPS-5: only a newer version replaces: by epoch first, then by counter, whoever writes", async (t) => {
    const under = await make(t);
    const steps: [writer: MirrorPort, epoch: number, counter: number, value: string, held: string][] = [
      [under.mirror, 2, 5, "a", "a"],
      [under.mirror, 2, 4, "b", "a"],
      [under.mirror, 2, 5, "c", "a"],
      [under.otherNode, 1, 900, "d", "a"],
      [under.otherNode, 2, 10, "e", "e"],
      [under.mirror, 3, 1, "f", "f"],
      [under.otherNode, 2, 11, "g", "f"],
      [under.otherNode, 3, 9_007_199_254_740_991, "h", "h"],
      [under.mirror, 3, 2, "i", "h"],
    ];
    for (const [writer, epoch, counter, value, held] of steps) {
      writer.write([entry(under, "k", epoch, counter, value)]);
      await arrived(under, writer);
      t.equal((await under.mirror.read(["k"]))[0]?.value, held, `after ${value} (${epoch}.${counter})`);
    }
  });

  await t.test("R-GPS-5: of one key twice in a batch the newer is held, in whatever order they stand", async (t) => {
    const under = await make(t);
    under.mirror.write([entry(under, "up", 1, 1, "old"), entry(under, "up", 1, 2, "new")]);
    under.mirror.write([entry(under, "down", 1, 2, "new"), entry(under, "down", 1, 1, "old")]);
    await arrived(under);
    t.strictSame(
      (await under.mirror.read(["up", "down"])).map((one) => one?.value),
      ["new", "new"],
    );
  });

  await t.test("R-GPS-5: a value is gone when its time is up, and an older one may come then", async (t) => {
    const under = await make(t);
    under.mirror.write([entry(under, "short", 5, 5, "soon gone", 1_000), entry(under, "long", 1, 1, "stays")]);
    await arrived(under);
    t.equal((await under.mirror.read(["short"]))[0]?.value, "soon gone");
    await sleep(under.clock, 1_050);
    t.strictSame(
      (await under.mirror.read(["short", "long"])).map((one) => one?.value ?? null),
      [null, "stays"],
    );
    under.mirror.write([entry(under, "short", 1, 1, "again")]);
    await arrived(under);
    t.equal((await under.mirror.read(["short"]))[0]?.value, "again");
  });

  await t.test("R-GPS-5: an entry that has expired before it arrives takes away what it is newer than", async (t) => {
    const under = await make(t);
    under.mirror.write([entry(under, "a", 1, 5, "shown"), entry(under, "b", 1, 5, "shown")]);
    await arrived(under);
    under.mirror.write([entry(under, "a", 1, 6, "late", -1), entry(under, "b", 1, 4, "late", -1)]);
    await arrived(under);
    t.strictSame(
      (await under.mirror.read(["a", "b"])).map((one) => one?.value ?? null),
      [null, "shown"],
    );
  });

  await t.test("R-GPS-5: thousands of entries at once arrive, each key with its newest value", async (t) => {
    const under = await make(t);
    for (let counter = 1; counter <= 3; counter++) {
      const entries = Array.from({ length: 2_000 }, (_, i) => entry(under, `driver:${i}`, 1, counter, { i, counter }));
      under.mirror.write(entries);
    }
    await arrived(under);
    const keys = Array.from({ length: 2_000 }, (_, i) => `driver:${i}`);
    const found = await under.otherNode.read(keys);
    t.equal(found.filter((one, i) => JSON.stringify(one?.value) === JSON.stringify({ i, counter: 3 })).length, 2_000);
  });

  await t.test("R-GPS-5: the mirror keeps values of its own", async (t) => {
    const under = await make(t);
    const value = { list: [1, 2] };
    under.mirror.write([entry(under, "k", 1, 1, value)]);
    value.list.push(3);
    await arrived(under);
    t.strictSame((await under.mirror.read(["k"]))[0]?.value, { list: [1, 2] });
  });
}
