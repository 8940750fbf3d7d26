/** Orders on tablets whose lines drop and whose pages reload; the same with 1,000 orders is `npm run bench:tablets`. */
import t from "tap";
import { runTablets } from "./support/tablets.js";

const ORDERS = 300;

t.test(
  "R-RST-4, rule 10: sockets drop and pages reload, and every order is shown exactly once, none late, none unaccounted",
  async (t) => {
    const report = await runTablets({
      orders: ORDERS,
      tablets: 20,
      seed: 7,
      dropEveryMs: 500,
      reloadEveryMs: 1_500,
      atOnce: 24,
    });
    t.comment(JSON.stringify(report));
    t.equal(report.placed, ORDERS);
    t.ok(report.drops > 0 && report.reloads > 0, `${report.drops} drops, ${report.reloads} reloads`);
    t.same(report.never, [], "none missed");
    t.same(report.twice, [], "none shown twice");
    t.same(report.strange, [], "none of anybody else's");
    t.equal(report.once, report.placed);
    t.same(report.undelivered, [], "the node knows of each that a device has it");
    // Where the machine stood still, no line was live: what is late by more than that is late.
    const late = report.longestStallMs < 1_000 ? report.lateBeyond5s : [];
    t.same(late, [], `the slowest took ${report.lateness.mostMs} ms of a live line`);
  },
);
