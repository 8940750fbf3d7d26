import t from "tap";
import { Buckets } from "../../lib/buckets.js";
import { PlainReads } from "./plain-reads.js";

const RATE = { perMinute: 6_000, burst: 1_000 };

/** Everybody asks so many times a second for some seconds; how often each was allowed, and how many were looked at. */
function day(asks: Readonly<Record<string, number>>, seconds: number, rate = RATE) {
  const buckets = new Buckets(rate, 10_000);
  let looked = 0;
  const reads = new PlainReads<string>({
    rate,
    take: (address, now, many) => buckets.take(address, now, many),
    addressOf(address) {
      looked++;
      return address;
    },
    seed: 7,
  });
  const allowed: Record<string, number> = {};
  for (let ms = 0; ms < seconds * 1_000; ms++) {
    for (const [address, perSecond] of Object.entries(asks)) {
      const due = Math.floor(((ms + 1) * perSecond) / 1_000) - Math.floor((ms * perSecond) / 1_000);
      for (let n = 0; n < due; n++) if (reads.allow(address, ms)) allowed[address] = (allowed[address] ?? 0) + 1;
    }
  }
  return { allowed, looked };
}

t.test("R-PRO-5: a thread that is not busy counts each request against its address", async (t) => {
  const { allowed, looked } = day({ greedy: 400, modest: 50 }, 10);
  t.equal(looked, 4_500);
  t.ok(Math.abs(allowed.greedy! - 2_000) <= 1, `1,000 at once and 100 a second: ${allowed.greedy}`);
  t.equal(allowed.modest, 500);
});

t.test(
  "R-PRO-5: a busy thread looks at few while nobody is over the limit, and nobody modest is refused",
  async (t) => {
    const crowd = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`modest-${n}`, 60]));
    const { allowed, looked } = day(crowd, 30);
    t.same(allowed, Object.fromEntries(Object.keys(crowd).map((address) => [address, 1_800])));
    t.ok(looked < 180_000 / 8, `${looked} of 180,000 were looked at`);
  },
);

t.test("R-PRO-5: whoever is over the limit of a busy thread is held to it all the same", async (t) => {
  const crowd = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`modest-${n}`, 50]));
  const { allowed } = day({ ...crowd, greedy: 3_000 }, 30);
  for (const address of Object.keys(crowd)) t.equal(allowed[address], 1_500, address);
  const due = RATE.burst + (30 * RATE.perMinute) / 60;
  t.ok(allowed.greedy! < due * 1.3, `${allowed.greedy} of 90,000, where ${due} are due`);
});

t.test("R-PRO-5: a limit of few requests is counted exactly, however busy the thread", async (t) => {
  const { allowed } = day({ many: 5_000, few: 20 }, 3, { perMinute: 60, burst: 3 });
  t.ok(allowed.few! <= 6, `${allowed.few}`);
});
