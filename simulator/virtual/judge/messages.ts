/**
 * Messages between actors, from the commits: each that was committed by its sender is done by its receiver exactly once,
 * and those of one sender to one receiver in the order in which they were sent. An effect's result counts as a message of
 * the actor to itself; effects run side by side, so that a bank that is slow with one holds up no other, and their results
 * come in any order. (RULES 2 and 11, for what happens inside.)
 */
import { defaultDomainSettings, domainActors } from "../../../src/actors/domain/mod.js";
import type { Violation } from "../../checkers/mod.js";
import type { Commit, VirtualEvidence } from "../ports.js";

export const MESSAGE_RULE = "messages-once-in-order";
/** After everything was mended: longer than the longest pause between two tries. */
const TELL_WITHIN_MS = 90_000;
const EFFECT_WITHIN_MS = 240_000;
const EFFECT_KIND = "$effect";

interface Sent {
  readonly id: string;
  readonly number: number;
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly at: number;
  readonly withinMs: number;
  /** Done in the order of sending. */
  readonly inOrder: boolean;
}

export function messagesOnceInOrder({ commits, times }: VirtualEvidence): readonly Violation[] {
  const found: Violation[] = [];
  const done = doneBy(commits);
  const newest = new Map<string, { readonly sent: Sent; readonly place: number }>();
  for (const sent of sentIn(commits)) {
    const place = done.get(`${sent.to} ${sent.id}`);
    if (place === undefined) {
      const waitedMs = times.endedAt - Math.max(sent.at, times.healedAt);
      if (waitedMs > sent.withinMs) {
        found.push(violation(sent, `was never done, ${Math.round(waitedMs / 1000)} s after everything was mended`));
      }
      continue;
    }
    if (!sent.inOrder) continue;
    const pair = `${sent.from}>${sent.to}`;
    const before = newest.get(pair);
    if (before !== undefined && before.place > place && before.sent.number < sent.number) {
      found.push(violation(sent, `was done before ${before.sent.name} (number ${before.sent.number}), sent earlier`));
    }
    if (before === undefined || before.place < place) newest.set(pair, { sent, place });
  }
  return found;
}

/** When each receiver did what: `receiver id` → a number that rises. */
function doneBy(commits: readonly Commit[]): ReadonlyMap<string, number> {
  const done = new Map<string, number>();
  let place = 0;
  for (const { write } of commits) {
    const actor = `${write.kind}/${write.key}`;
    for (const { id } of write.commands) {
      place++;
      if (!done.has(`${actor} ${id}`)) done.set(`${actor} ${id}`, place);
    }
  }
  return done;
}

/** What is remembered once it is done, by sender in the order of sending. */
function* sentIn(commits: readonly Commit[]): Iterable<Sent> {
  const forgetful = forgetfulCommands();
  for (const { at, write } of commits) {
    const from = `${write.kind}/${write.key}`;
    for (const { number, to, name } of write.tells) {
      if (to.kind === EFFECT_KIND) {
        // Read as the engine does: it hands the result back as a command of that number.
        const effect = { id: `effect:${number}`, number, from, to: from, name: to.key, at };
        yield { ...effect, withinMs: EFFECT_WITHIN_MS, inOrder: false };
        continue;
      }
      if (forgetful.has(to.kind) || forgetful.has(`${to.kind} ${name}`)) continue;
      const id = `tell:${from}:${number}`;
      yield { id, number, from, to: `${to.kind}/${to.key}`, name, at, withinMs: TELL_WITHIN_MS, inOrder: true };
    }
  }
}

/** Kinds, and commands of kinds, that remember nothing. */
function forgetfulCommands(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { ref, durability, volatileCommands } of domainActors(defaultDomainSettings)) {
    if (durability === "volatile") names.add(ref.kind);
    for (const name of volatileCommands ?? []) names.add(`${ref.kind} ${name as string}`);
  }
  return names;
}

function violation(sent: Sent, problem: string): Violation {
  const { from, to, name, number, at } = sent;
  return {
    rule: MESSAGE_RULE,
    subject: to,
    summary: `${name} (number ${number}) of ${from} to ${to} ${problem}`,
    story: [`${new Date(at).toISOString().slice(11, 23)} ${from} commits ${name} → ${to} (number ${number})`],
  };
}
