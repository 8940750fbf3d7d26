import t from "tap";
import { type Clock, systemClock } from "../../lib/clock.js";
import { mirrorContract } from "../contract/mirror.contract.js";
import { createMemoryMirror } from "./mod.js";

const clock = systemClock();

t.test("the memory mirror keeps the mirror's contract", (t) =>
  mirrorContract(t, async () => {
    const mirror = createMemoryMirror({ clock });
    return { mirror, otherNode: mirror, clock };
  }),
);

t.test("rule 16: a full mirror drops what has expired, then what was written longest ago", async (t) => {
  let now = 1_000;
  const virtual: Clock = { ...clock, now: () => now };
  const mirror = createMemoryMirror({ clock: virtual, maxEntries: 80 });
  const put = (key: string, expiresAt = 10_000, counter = 1) =>
    mirror.write([{ key, version: [1, counter], value: key, expiresAt }]);
  const held = async (...keys: string[]) => (await mirror.read(keys)).map((one) => one !== null);
  for (let i = 0; i < 40; i++) put(`brief-${i}`, 2_000);
  for (let i = 0; i < 40; i++) put(`k${i}`);
  t.equal(mirror.size(), 80);
  now = 2_000;
  put("one-more");
  t.equal(mirror.size(), 41, "the expired ones made room");
  put("k0", 10_000, 2);
  for (let i = 40; i < 90; i++) put(`k${i}`);
  t.ok(mirror.size() <= 80);
  t.strictSame(await held("k0", "k1", "k2", "k89"), [true, false, false, true], "k0 was written again");
  t.throws(() => createMemoryMirror({ clock, maxEntries: 0 }), RangeError);
});
