/** Judges a run: what clients received, the database and the provider's books against the rules. Pure. */
import { type Evidence, indexEvidence, type Rule, type Violation } from "./evidence.js";
import { booksAgree } from "./rules/books.js";
import { channelsMatchCommits } from "./rules/channels.js";
import { commandRunsOnce, offsetsWithoutHoles, oneEpochCommits } from "./rules/commits.js";
import { closedStaysClosed, oneDriver, oneTrip, oneWinner } from "./rules/drivers.js";
import { eventsOnceInOrder } from "./rules/events.js";
import { locationGate } from "./rules/location.js";
import { capturedWithinAuthorised, ledgerSumsToZero, neverOversold } from "./rules/money.js";
import {
  acknowledgedSurvives,
  confirmedReachesTablet,
  endsInTime,
  legalMoves,
  noGapNoRepeat,
  oneKeyOneOrder,
  oneWriter,
} from "./rules/orders.js";
import { linesOnceForAll } from "./rules/rooms.js";
import { withinBounds } from "./rules/samples.js";

export {
  type Acknowledged,
  acknowledgement,
  type BookedOrder,
  type Booking,
  type Books,
  type BoundSample,
  type Committed,
  type Database,
  type EventId,
  type Evidence,
  type StoredOrder,
  type Violation,
} from "./evidence.js";
export * from "./history.js";
export { ForgetfulRecorder, joinHistories, RECORDER_BOUNDS, Recorder } from "./recorder.js";
export { EVENT_RULE, judgeEvents, outstanding } from "./rules/events.js";

export const ALL_RULES: readonly Rule[] = [
  acknowledgedSurvives,
  oneKeyOneOrder,
  commandRunsOnce,
  legalMoves,
  oneWriter,
  oneEpochCommits,
  oneWinner,
  oneTrip,
  oneDriver,
  capturedWithinAuthorised,
  ledgerSumsToZero,
  booksAgree,
  confirmedReachesTablet,
  eventsOnceInOrder,
  locationGate,
  closedStaysClosed,
  endsInTime,
  noGapNoRepeat,
  offsetsWithoutHoles,
  channelsMatchCommits,
  linesOnceForAll,
  withinBounds,
  neverOversold,
];

/** Every violation found, in the rules' order. */
export function judge(evidence: Evidence): readonly Violation[] {
  const index = indexEvidence(evidence);
  return ALL_RULES.flatMap((rule) => rule.check(index));
}

/** Violations as text for a person: the summary, then the story, at most `each` stories per rule. */
export function violationText(violations: readonly Violation[], each = 3): string {
  const lines: string[] = [];
  const told = new Map<string, number>();
  for (const violation of violations) {
    const count = (told.get(violation.rule) ?? 0) + 1;
    told.set(violation.rule, count);
    if (count > each) continue;
    lines.push(`${violation.rule}: ${violation.summary}`, ...violation.story.map((line) => `    ${line}`));
  }
  for (const [rule, count] of told) if (count > each) lines.push(`${rule}: ${count - each} more like these`);
  return lines.join("\n");
}
