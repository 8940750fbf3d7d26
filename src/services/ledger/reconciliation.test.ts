import t from "tap";
import { type Random, randomInteger, seededRandom } from "../../lib/random.js";
import type { CashMovement, Period } from "./ports.js";
import { type ProviderSideMovement, type ReconcileDeps, reconcile } from "./reconciliation.js";

const NOW = 1_000_000;
const GRACE_MS = 1_000;
const PERIOD: Period = { from: 100_000, to: 900_000 };

interface World {
  readonly ours: readonly CashMovement[];
  readonly theirs: readonly ProviderSideMovement[];
}

/** Movements that the two sides have within moments, much later, only one of them, or with another amount. */
function worldOf(random: Random, count: number): World {
  const ours: CashMovement[] = [];
  const theirs: Omit<ProviderSideMovement, "number">[] = [];
  for (let n = 0; n < count; n++) {
    const at = randomInteger(random, NOW);
    const isRefund = random.next() < 0.2;
    const kind = isRefund ? ("refund" as const) : ("capture" as const);
    const movement = { key: `o${n}:${kind}:1`, orderId: `o${n}`, kind, currency: random.next() < 0.8 ? "EUR" : "COP" };
    const amountMinor = randomInteger(random, 4);
    const fate = random.next();
    const lateMs = random.next() < 0.8 ? randomInteger(random, 50) : randomInteger(random, 300_000) - 150_000;
    if (fate > 0.1) theirs.push({ ...movement, at, amountMinor });
    if (fate < 0.1 || fate > 0.2) {
      const booked = fate < 0.3 ? amountMinor + 1 : amountMinor;
      if (booked > 0) ours.push({ ...movement, at: at + lateMs, amountMinor: isRefund ? -booked : booked });
    }
  }
  ours.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  return { ours, theirs: theirs.sort((a, b) => a.at - b.at).map((each, index) => ({ ...each, number: index + 1 })) };
}

const within =
  ({ from, to }: Period) =>
  (each: { readonly at: number }) =>
    each.at >= from && each.at < to;

function sidesOf({ ours, theirs }: World, read: (side: "ours" | "theirs", count: number) => void = () => {}) {
  const provider: ReconcileDeps["provider"] = {
    async movements(period, after, limit) {
      const page = theirs.filter(within(period)).filter(({ number }) => number > after);
      read("theirs", Math.min(limit, page.length));
      return page.slice(0, limit);
    },
    movementsOf: async (keys) => theirs.filter(({ key }) => keys.includes(key)),
    held: async () => [],
  };
  const store: ReconcileDeps["store"] = {
    pending: async () => [],
    backlog: async () => ({ waiting: 0, refused: 0 }),
    async cash(period, after, limit) {
      const page = ours.filter(within(period)).filter(({ at, key }) => {
        return after === null || at > after.at || (at === after.at && key > after.key);
      });
      read("ours", Math.min(limit, page.length));
      return page.slice(0, limit);
    },
    cashOf: async (keys) => ours.filter(({ key }) => keys.includes(key)),
    // One minor unit a minute on two accounts.
    async balances({ from, to }) {
      if (to - from > 600_000) throw new Error("the statement takes too long");
      const minutes = Math.ceil(to / 60_000) - Math.ceil(from / 60_000);
      return [
        { account: "tips", currency: "EUR", amountMinor: minutes },
        { account: "tax", currency: "EUR", amountMinor: -minutes },
      ];
    },
  };
  return { provider, store, now: NOW, graceMs: GRACE_MS };
}

/** The same by looking at everything at once. */
function plainly({ ours, theirs }: World) {
  const keys = new Set([...ours, ...theirs].filter(within(PERIOD)).map(({ key }) => key));
  let [matched, inTransit] = [0, 0];
  const differences: string[] = [];
  for (const key of keys) {
    const our = ours.find((each) => each.key === key);
    const their = theirs.find((each) => each.key === key);
    const theirsMinor = their === undefined ? 0 : their.kind === "capture" ? their.amountMinor : -their.amountMinor;
    if (our !== undefined && their !== undefined && our.amountMinor === theirsMinor) matched++;
    else if ((our?.amountMinor ?? 0) === 0 && theirsMinor === 0) continue;
    else if (our !== undefined && their !== undefined) differences.push(`${key} amount`);
    else if (NOW - (our ?? their)!.at < GRACE_MS) inTransit++;
    else differences.push(`${key} ${our === undefined ? "missing_here" : "missing_there"}`);
  }
  const sum = (currency: string) => ({
    oursMinor: ours
      .filter((each) => each.currency === currency)
      .filter(within(PERIOD))
      .reduce((all, { amountMinor }) => all + amountMinor, 0),
    theirsMinor: theirs
      .filter((each) => each.currency === currency)
      .filter(within(PERIOD))
      .reduce((all, { kind, amountMinor }) => all + (kind === "capture" ? amountMinor : -amountMinor), 0),
  });
  return { matched, inTransit, differences: differences.sort(), sums: [sum("COP"), sum("EUR")] };
}

t.test("R-PAY-2: read page by page beside each other, the two sides say what they say at once", async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const world = worldOf(random, 150);
    const bounds = { page: 1 + randomInteger(random, 9), open: randomInteger(random, 20) };
    const report = await reconcile({ ...sidesOf(world), bounds }, PERIOD);
    const { matched, inTransit } = report;
    const differences = report.differences.map(({ key, problem }) => `${key} ${problem}`).sort();
    const sums = report.currencies.map(({ oursMinor, theirsMinor }) => ({ oursMinor, theirsMinor }));
    t.strictSame({ matched, inTransit, differences, sums }, plainly(world), `seed ${seed}`);
  }
});

t.test("R-PAY-2, rule 16: of a long period no side is read far ahead of the other", async (t) => {
  const at = (n: number): number => PERIOD.from + n * 10;
  const count = 5_000;
  const movement = (n: number) => ({
    ...{ key: `o${n}:capture:1`, orderId: `o${n}`, kind: "capture" as const, currency: "EUR", amountMinor: 5 },
  });
  const numbers = Array.from({ length: count }, (_, n) => n);
  const world = {
    ours: numbers.map((n) => ({ ...movement(n), at: at(n) + 3 })),
    theirs: numbers.map((n) => ({ ...movement(n), at: at(n), number: n + 1 })),
  };
  const readOf = { ours: 0, theirs: 0 };
  let furthest = 0;
  const sides = sidesOf(world, (side, read) => {
    readOf[side] += read;
    furthest = Math.max(furthest, Math.abs(readOf.ours - readOf.theirs));
  });
  const report = await reconcile({ ...sides, now: 1e9 }, PERIOD);
  t.match(report, { matched: count, agrees: true });
  t.ok(furthest <= 1_000, `${furthest} movements of one side were in memory`);
});

t.test("R-PAY-2: balances of a long period are added up from short ones", async (t) => {
  const day = { from: 0, to: 24 * 3_600_000 };
  const report = await reconcile(sidesOf({ ours: [], theirs: [] }), day);
  t.match(report.currencies, [
    {
      sumMinor: 0,
      accounts: [
        { account: "tax", amountMinor: -1_440 },
        { account: "tips", amountMinor: 1_440 },
      ],
    },
  ]);
});

t.test("R-PAY-2: a provider whose pages do not go on is not read for ever", async (t) => {
  const page = Array.from({ length: 500 }, (_, n) => ({
    ...{ key: `o${n}:capture:1`, orderId: `o${n}`, kind: "capture" as const, currency: "EUR", amountMinor: 5 },
    ...{ at: PERIOD.from + n, number: n + 1 },
  }));
  const { provider, ...others } = sidesOf({ ours: [], theirs: page });
  const broken = { ...provider, movements: async () => page };
  await t.rejects(reconcile({ ...others, provider: broken }, PERIOD), /do not go on/);
});
