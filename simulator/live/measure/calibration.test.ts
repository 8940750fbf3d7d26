import t from "tap";
import type { OrderView } from "../../../src/protocol/mod.js";
import { joinHistories, Recorder } from "../../checkers/mod.js";
import { calibrationOf, calibrationText, peaceOf } from "./calibration.js";

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;

const view = (version: number, status: OrderView["status"], expectedMinutes: number, more: Partial<OrderView> = {}) =>
  ({
    orderId: "o",
    version,
    status,
    timeline: [],
    eta: {
      from: NOW + (expectedMinutes - 4) * MINUTE,
      expected: NOW + expectedMinutes * MINUTE,
      to: NOW + (expectedMinutes + 6) * MINUTE,
    },
    ...more,
  }) as unknown as OrderView;

t.test("R-ETA-3: what customers were told is held against what happened, stage by stage", async (t) => {
  const recorder = new Recorder();
  const driver = { name: "D", vehicle: "bicycle" };
  recorder.view("s1", "socket", view(1, "placed", 30), NOW);
  recorder.view("s1", "socket", view(2, "accepted", 40), NOW + MINUTE);
  recorder.view("s1", "socket", view(3, "preparing", 33), NOW + 2 * MINUTE);
  recorder.view("s1", "socket", view(4, "picked_up", 35, { driver }), NOW + 20 * MINUTE);
  recorder.view("s1", "socket", view(5, "picked_up", 99, { driver }), NOW + 21 * MINUTE);
  const other = new Recorder();
  other.view("s2", "poll", view(1, "placed", 77), NOW + 5 * MINUTE);
  const { orders } = joinHistories([recorder.history(), other.history()]);
  t.equal(orders.length, 1);
  const cases = [{ deliveredAt: NOW + 37 * MINUTE, etas: orders[0]?.etas ?? [], tellings: 2, versions: 17 }];
  const calibration = calibrationOf(cases, 1);
  t.strictSame(
    calibration.map(({ stage, meanAbsoluteErrorMinutes, biasMinutes, coveragePercent, earlyPercent, latePercent }) => [
      stage,
      meanAbsoluteErrorMinutes,
      biasMinutes,
      coveragePercent,
      earlyPercent,
      latePercent,
    ]),
    [
      ["placed", 7, 7, 0, 0, 100],
      ["cooking", 3, -3, 100, 0, 0],
      ["on the way", 2, 2, 100, 0, 0],
    ],
    "the first sight of each stage counts",
  );
  t.equal(calibration[0]?.meanWidthMinutes, 10);
  const faster = calibrationOf(cases, 60);
  t.equal(faster[0]?.meanAbsoluteErrorMinutes, 420, "in minutes of the city");
  const peace = peaceOf([...cases, { ...cases[0]!, tellings: 0, versions: 20 }]);
  t.strictSame(peace, { tellingsPerOrder: 1, toldPercent: 50, versionsPerOrder: 18.5 });
  t.equal(calibrationText(calibration, peace).length, 8);
  t.strictSame(calibrationText(calibrationOf([], 1), peaceOf([])), []);
});
