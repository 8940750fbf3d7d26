/**
 * RULES 14 and 10, where they begin, from the commits: a timer that was committed fires, whoever owns its actor by then; an
 * order under way has a deadline; a tablet that was told of an order is told again until somebody answers.
 */
import { decode } from "../../../src/lib/msgpack.js";
import type { Violation } from "../../checkers/mod.js";
import type { VirtualEvidence } from "../ports.js";

/** After it is due and everything was mended: the grace after an outage, and tries again. */
const LATE_MS = 90_000;
/** By so much a node's clock may be wrong. */
const CLOCKS_MS = 3_000;

export function lostTimers({ commits, times }: VirtualEvidence): readonly Violation[] {
  const set = new Map<
    string,
    { readonly actor: string; readonly name: string; readonly at: number; readonly by: string }
  >();
  for (const { write, life, at } of commits) {
    const actor = `${write.kind}/${write.key}`;
    for (const name of write.timersCancelled) set.delete(`${actor} ${name}`);
    for (const timer of write.timersSet) {
      const by = `${stamp(at)} ${life} commits timer ${timer.name} of ${actor} for ${stamp(timer.at)}: ${timer.run}`;
      set.set(`${actor} ${timer.name}`, { actor, name: timer.name, at: timer.at, by });
    }
  }
  const found: Violation[] = [];
  for (const { actor, name, at, by } of set.values()) {
    const lateMs = times.endedAt - Math.max(at, times.healedAt);
    if (lateMs <= LATE_MS) continue;
    found.push({
      rule: "rule-14-no-lost-timers",
      subject: actor,
      summary: `timer ${name} of ${actor} was due and has not fired ${Math.round(lateMs / 1000)} s after everything was mended`,
      story: [by],
    });
  }
  return found;
}

/** Looks at every commit: what waits must be woken by something that is committed with it. */
export function waitsWithoutTimer({ commits }: VirtualEvidence): readonly Violation[] {
  const found: Violation[] = [];
  const timers = new Map<string, Set<string>>();
  const live = new Set<string>();
  for (const { write, life, at } of commits) {
    const actor = `${write.kind}/${write.key}`;
    const own = timers.get(actor) ?? new Set<string>();
    timers.set(actor, own);
    for (const name of write.timersCancelled) own.delete(name);
    for (const { name } of write.timersSet) own.add(name);
    if (write.index !== undefined) {
      if (write.index?.live === true) live.add(actor);
      else live.delete(actor);
    }
    const wait = waitIn(write.kind, live.has(actor), write.pushes, at);
    if (wait === null || own.has(wait.timer)) continue;
    found.push({
      rule: wait.rule,
      subject: actor,
      summary: `${actor} ${wait.problem}`,
      story: [`${stamp(at)} ${life} commits version ${write.seq} of ${actor} without a timer "${wait.timer}"`],
    });
  }
  return found;
}

interface Wait {
  readonly rule: string;
  readonly timer: string;
  readonly problem: string;
}

interface Push {
  readonly type: string;
  readonly body: Uint8Array;
}

/** Past its deadline an order ends by itself, and nobody is asked for an answer any more. */
function awaitsAnswer({ type, body }: Push, at: number): boolean {
  if (type !== "order.new") return false;
  const acceptBy = decode<{ readonly acceptBy?: number } | null>(body)?.acceptBy;
  return acceptBy === undefined || acceptBy > at + CLOCKS_MS;
}

function waitIn(kind: string, isLive: boolean, pushes: readonly Push[], at: number): Wait | null {
  if (kind === "order" && isLive) {
    return { rule: "rule-14-every-wait-has-a-deadline", timer: "deadline", problem: "is under way without a deadline" };
  }
  // What was also answered in this commit needs no telling.
  const told = pushes.some((push) => awaitsAnswer(push, at)) && !pushes.some(({ type }) => type === "order.changed");
  if (kind === "restaurant" && told) {
    return {
      rule: "rule-10-told-until-answered",
      timer: "redeliver",
      problem: "told its tablet and will not tell again",
    };
  }
  return null;
}

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);
