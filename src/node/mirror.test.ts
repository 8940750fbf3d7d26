import t from "tap";
import type { LinkMessage, MirrorEntry } from "../actors/runtime/mod.js";
import type { Json } from "../lib/json.js";
import { fixKey, viewKey } from "../services/tracking/mod.js";
import { fanOutMirror } from "./mirror.js";

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
    if (message.t === "mirror") sent.push(`${to}: ${message.entries.map(({ key }) => key).join(" ")}`);
  };
  const mirror = fanOutMirror({ send }, ["a", "b"], {
    write: (entries) => void written.push(...entries.map(({ key }) => key)),
    read: async () => [],
    close: async () => undefined,
  });
  const heard = (...entries: MirrorEntry[]): string[] => {
    sent.length = 0;
    mirror.write(entries);
    return [...sent];
  };
  t.same(heard(fix("d1"), fix("d2")), [], "nobody's to see");
  t.same(heard(fix("d1", { o1: 4 }), fix("d2")), ["a: fix:d1", "b: fix:d1"]);
  t.same(heard(entry(viewKey("o1"), {}), fix("d1", { o1: 4 })), ["a: view:o1 fix:d1", "b: view:o1 fix:d1"]);
  t.same(heard(fix("d1")), ["a: fix:d1", "b: fix:d1"], "rule 12: the end of a grant is told");
  t.same(heard(fix("d1")), []);
  t.equal(written.length, 8, "every entry went on");
});
