import t from "tap";
import type { LinkMessage, MirrorEntry, MirrorPort } from "../actors/runtime/mod.js";
import type { Json } from "../lib/json.js";
import { fixKey, viewKey } from "../services/tracking/mod.js";
import { createMirrorCopy, fanOutMirror } from "./mirror.js";

t.test("R-BEN-1: where a driver without an order is goes to no gateway; R-GPS-5: all of it goes on", async (t) => {
  const sent: string[] = [];
  const written: string[] = [];
  let counter = 0;
  const entry = (key: string, value: unknown): MirrorEntry => ({
    key,
    value: value as Json,
    version: [1, ++counter],
    expiresAt: Number.MAX_SAFE_INTEGER,
  });
  const fix = (driverId: string, grants: Record<string, number> = {}): MirrorEntry =>
    entry(fixKey(driverId), { position: { lat: 1, lng: 2, at: counter }, grants });
  const send = (to: string, message: LinkMessage): void => {
    if (message.t === "mirror") sent.push(`${to}: ${message.entry.key}`);
  };
  const shared: MirrorPort = {
    write: (entries) => void written.push(...entries.map(({ key }) => key)),
    read: async () => [],
    close: async () => undefined,
  };
  const mirror = fanOutMirror({ send }, ["a", "b"], shared);
  const heard = (...entries: MirrorEntry[]): string[] => {
    sent.length = 0;
    for (const entry of entries) t.equal(mirror.atOnce?.(entry), true, "R-GPS-5: it goes on");
    mirror.write(entries);
    return [...sent];
  };
  t.same(heard(fix("d1"), fix("d2")), [], "nobody's to see");
  t.same(heard(fix("d1", { o1: 4 }), fix("d2")), ["a: fix:d1", "b: fix:d1"]);
  t.same(heard(entry(viewKey("o1"), {}), fix("d1", { o1: 4 })), ["a: view:o1", "b: view:o1", "a: fix:d1", "b: fix:d1"]);
  t.same(heard(fix("d1")), ["a: fix:d1", "b: fix:d1"], "rule 12: the end of a grant is told");
  t.same(heard(fix("d1")), []);
  t.equal(written.length, 8, "every entry went on");

  const alone = fanOutMirror({ send }, ["a"], null);
  t.equal(alone.wants?.(fixKey("d1"), fix("d1").value), false, "it is not even made");
  sent.length = 0;
  t.equal(alone.atOnce?.(entry(viewKey("o1"), {})), false, "there is nobody to collect it for");
  t.same(sent, ["a: view:o1"]);
});

t.test(
  "R-GPS-5: a copy remembers what it was told last of an order, and no position longer than it lasts",
  async (t) => {
    let now = 1_000;
    const clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} };
    const copy = createMirrorCopy(clock, 10);
    const entry = (key: string, counter: number): MirrorEntry => ({
      key,
      value: counter,
      version: [1, counter],
      expiresAt: now + 10,
    });
    copy.put(entry(viewKey("o1"), 1));
    copy.put(entry(fixKey("d1"), 2));
    now += 10;
    for (const key of [viewKey("o1"), fixKey("d1")]) t.equal(copy.get(key), null, "expired");
    t.match(copy.told(viewKey("o1")), { value: 1 });
    t.equal(copy.told(fixKey("d1")), null);
    copy.put(entry(viewKey("o1"), 3));
    t.match(copy.get(viewKey("o1")), { value: 3 });
    copy.clear();
    t.equal(copy.told(viewKey("o1")), null, "rule 15: what lives elsewhere tells others");
  },
);

t.test(
  "R-PRO-5: a copy forgets orders that nothing is told of any more, and never holds more than it may",
  async (t) => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} };
    const copy = createMirrorCopy(clock, 1_000);
    let counter = 0;
    const tell = (orderId: string): void =>
      copy.put({ key: viewKey(orderId), value: null, version: [1, ++counter], expiresAt: now + 10_000 });
    // A day of ten orders a minute, each told of for twenty minutes; one is cooked for three hours.
    let most = 0;
    for (let minute = 0; minute < 24 * 60; minute++) {
      now = minute * 60_000;
      for (let n = 0; n < 10; n++) tell(`o${minute}-${n}`);
      if (minute >= 20) for (let n = 0; n < 10; n++) tell(`o${minute - 20}-${n}`);
      if (minute < 180 && minute % 25 === 0) tell("long");
      if (minute < 180) t.match(copy.told(viewKey("long")), { key: viewKey("long") });
      most = Math.max(most, copy.size);
    }
    t.ok(most <= 800, `of 14,400 orders at most ${most} at a time`);
    t.equal(copy.told(viewKey("long")), null);
    t.match(copy.told(viewKey("o1439-9")), { key: viewKey("o1439-9") });
    for (let n = 0; n < 5_000; n++) {
      tell(`all-at-once-${n}`);
      if (copy.size > 1_000) t.fail(`${copy.size} entries`);
    }
    t.ok(copy.size > 400, "what was written last is there");
    t.match(copy.told(viewKey("all-at-once-4999")), { value: null });
    t.equal(copy.told(viewKey("all-at-once-0")), null);
  },
);
