import fc from "fast-check";
import t from "tap";
import type { Fix } from "../../../protocol/mod.js";
import { defaultDomainSettings } from "../mod.js";
import { judgeFix, refilled } from "./fix.js";
import type { LivePosition } from "./state.js";

const settings = defaultDomainSettings.driver;
const NOW = 1_800_000_000_000;
const fix = (
  changes: Partial<Record<"delta" | "lat" | "lng" | "accuracy" | "speed" | "bearing", number>> = {},
): Fix => {
  const { delta = 0, lat = 4.6, lng = -74, accuracy = 5, speed = 4, bearing = 90 } = changes;
  return [delta, lat, lng, accuracy, speed, bearing];
};
const live = (ageMs: number): LivePosition => ({ lat: 4.6, lng: -74, bearing: null, at: NOW - ageMs });
const judge = (one: Fix, shown: LivePosition | null = null) => judgeFix(one, NOW, 0, shown, NOW, settings);

t.test("R-GPS-3: each anomaly has its name and is not shown", async (t) => {
  t.same(judge(fix()), { verdict: "live", position: { lat: 4.6, lng: -74, bearing: 90, at: NOW } });
  t.same(judge(fix({ bearing: -1 })).verdict, "live");
  const flag = (one: Fix, shown: LivePosition | null = null) => {
    const judgement = judge(one, shown);
    return judgement.verdict === "flagged" ? judgement.flag : judgement.verdict;
  };
  t.equal(flag(fix({ lat: 0, lng: 0 })), "range", "a phone without a fix");
  t.equal(flag(fix({ lat: 91 })), "range");
  t.equal(flag(fix({ lng: Number.NaN })), "range");
  t.equal(flag(fix({ delta: 61_000 })), "clock", "from the future");
  t.equal(flag(fix({ delta: -13 * 3_600_000 })), "clock", "from yesterday");
  t.equal(flag(fix({ accuracy: 251 })), "accuracy");
  t.equal(flag(fix({ speed: 51 })), "speed");
  t.equal(flag(fix({ lat: 4.7 }), live(10_000)), "teleport", "11 km in 10 s");
  t.equal(flag(fix({ lat: 4.603 }), live(1_000)), "live", "333 m in a second may be an urban canyon");
  t.equal(flag(fix({ lat: 4.7 }), live(600_000)), "live", "11 km in 10 minutes is a tunnel");
});

t.test("R-GPS-2: late fixes are neither shown nor held against the driver", async (t) => {
  t.equal(judge(fix({ delta: -5_000 }), live(4_000)).verdict, "late");
  t.equal(judge(fix({ delta: -31_000 })).verdict, "late", "older than 30 s is never live");
  t.equal(judge(fix(), live(0)).verdict, "late", "the same instant twice");
});

t.test("R-GPS-2, R-GPS-3: in whatever order fixes come, the live position never goes back in time", async (t) => {
  const any = fc.tuple(
    fc.integer({ min: -120_000, max: 120_000 }),
    fc.double({ min: -91, max: 91 }),
    fc.double({ min: -181, max: 181 }),
    fc.double({ min: 0, max: 1_000 }),
    fc.double({ min: -1, max: 200 }),
    fc.double({ min: -1, max: 360 }),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 50 }), (fixes) => {
      let shown: LivePosition | null = null;
      for (const one of fixes) {
        const judgement = judgeFix(one as Fix, NOW, 0, shown, NOW, settings);
        if (judgement.verdict !== "live") continue;
        const { position } = judgement;
        if (shown !== null && position.at <= (shown as LivePosition).at) return false;
        if (Math.abs(position.lat) > 90 || Math.abs(position.lng) > 180) return false;
        shown = position;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass("500 streams");
});

t.test("R-GPS-4: the bucket holds its burst and no more, and fills at its rate", async (t) => {
  t.equal(refilled(Number.POSITIVE_INFINITY, 0, NOW, settings), settings.gpsBurst);
  t.equal(refilled(0, NOW, NOW + 3_000, settings), 1);
  t.equal(refilled(0, NOW, NOW + 1_500, settings), 0.5);
  t.equal(refilled(1, NOW, NOW - 5_000, settings), 1, "a clock that goes back takes nothing away");
});
