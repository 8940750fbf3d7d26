/** What must not be left when a seed is over: it comes to rest, nothing is put aside, nothing fails in a way nobody foresaw. */
import type { Violation } from "../../checkers/mod.js";
import type { VirtualEvidence } from "../ports.js";

const MOST_LINES = 12;

export function comesToRest({ end, times }: VirtualEvidence): readonly Violation[] {
  const found: Violation[] = [];
  const add = (rule: string, subject: string, summary: string, story: readonly string[]): void =>
    void found.push({ rule, subject, summary, story });
  const { unsettled, deadLetters, errors } = end;
  if (unsettled.length > 0) {
    const waitedSeconds = Math.round((times.endedAt - times.healedAt) / 1000);
    add(
      "liveness-comes-to-rest",
      subjectIn(unsettled),
      `${waitedSeconds} s after everything was mended: ${unsettled[0]}`,
      unsettled.slice(0, MOST_LINES),
    );
  }
  for (const { to, name, reason } of deadLetters) {
    add("no-dead-letters", to, `${name} for ${to} was put aside: ${reason}`, [`${name} → ${to}: ${reason}`]);
  }
  if (end.unanswered > 0) {
    add("every-ask-is-answered", "world", `${end.unanswered} asks of a flood were never answered`, []);
  }
  for (const text of errors) add("no-errors", subjectIn([text]), text.split("\n")[0] as string, [text]);
  return found;
}

/** The first thing that the words speak of. */
function subjectIn(texts: readonly string[]): string {
  for (const text of texts) {
    const [named] = /\b(order|driver|restaurant|dispatch-zone)\/[\w:-]+/.exec(text) ?? /\b[crd]-\d+\b/.exec(text) ?? [];
    if (named !== undefined) return named;
  }
  return "world";
}
