/**
 * What members that cannot see the database say to each other, so that all of them may go on speaking while it is away
 * for all, and none may that it is away for alone.
 *
 * A member in doubt asks. Another that is in doubt as well promises: its patience with the asker's missing session begins
 * anew now. Once every other has promised, nobody can take the asker's shards before `sessionGraceMs` after the question
 * was asked, and the asker may speak for `sessionLossMs` after it. One that sees the database promises nothing: its
 * silence is its answer.
 *
 * Owns: questions, promises, whom to ask. Does not own: until when the node speaks (`lease.ts`), the patience with others
 * (`members.ts`), how testimony travels (the hints).
 *
 * Invariants:
 * - a promise is kept before it is spoken, and only one in doubt promises;
 * - a promise counts from when its question was asked, by the asker's own clocks, however late or often it is heard;
 * - it counts only from the process that the last view showed with a session: another under its name may know nothing.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { HeardQuestion, Hints, MemberRow, Moment, NodeDescription, Testimony } from "../ports.js";

export interface TestimonyOptions {
  readonly description: NodeDescription;
  /** Null: nobody hears and nobody is heard. */
  readonly hints: Hints | null;
  readonly clock: Clock;
  readonly sessionLossMs: number;
  readonly moment: () => Moment;
  /** Everybody who could count this member's missing session: the others that its last view showed with a session. */
  readonly others: () => readonly MemberRow[];
  /** Keeps what is about to be promised. */
  readonly onPromise: (nodes: readonly string[]) => void;
  /** All others have promised, in answer to questions that were asked at `since` or later. */
  readonly onVouched: (since: Moment) => void;
}

export interface TestimonyDesk {
  /** This member cannot see the database: asks at once and again and again. Harmless while in doubt. */
  begin(): void;
  /** It sees the database. */
  end(): void;
}

/** Questions within the time that a promise is good for: a few may be lost. */
const QUESTIONS_A_LOSS = 6;
/** What is heard within this part of the time between two questions is answered together. */
const REPLY_PART = 5;
/** More members than a cluster has. */
const MAX_HEARD = 256;

export function createTestimonyDesk(options: TestimonyOptions): TestimonyDesk {
  const { hints, clock, sessionLossMs, moment } = options;
  const { node: self, incarnation } = options.description;
  const askMs = Math.max(1, Math.floor(sessionLossMs / QUESTIONS_A_LOSS));
  const replyMs = Math.max(1, Math.floor(askMs / REPLY_PART));
  let inDoubt = false;
  let question = 0;
  /** When the questions were asked whose promises are still good. */
  const asked = new Map<number, Moment>();
  /** Questions of others without an answer yet. */
  const heard = new Map<string, HeardQuestion & { readonly at: number }>();
  /** Who has promised, and when the newest question that it has answered was asked. */
  const vouched = new Map<string, { readonly incarnation: string; readonly since: Moment }>();
  let nextQuestion: Cancel | null = null;
  let nextReply: Cancel | null = null;

  function ask(): void {
    const now = moment();
    asked.set(++question, now);
    for (const [number, { monotonic }] of asked) if (now.monotonic - monotonic >= sessionLossMs) asked.delete(number);
    say(question);
    nextQuestion = clock.after(askMs, ask);
    // With nobody to ask, everybody has answered.
    if (options.others().length === 0) options.onVouched(now);
  }

  /** Promises what there is to promise, and asks `number` if it is not 0. */
  function say(number: number): void {
    nextReply?.();
    nextReply = null;
    const oldest = clock.monotonic() - sessionLossMs;
    const promises = [...heard.values()]
      .filter(({ at }) => at > oldest)
      .map(({ node, incarnation, question }) => ({ node, incarnation, question }));
    heard.clear();
    options.onPromise(promises.map(({ node }) => node));
    if (number > 0 || promises.length > 0) hints?.testify({ node: self, incarnation, question: number, promises });
  }

  function hear(testimony: Testimony): void {
    if (testimony.node === self) return;
    if (testimony.question > 0) hearQuestion(testimony);
    for (const promise of testimony.promises) {
      if (promise.node === self && promise.incarnation === incarnation) hearPromise(testimony, promise.question);
    }
  }

  /** Kept for a while when this member sees the database: it may lose it a moment after the one that asks. */
  function hearQuestion({ node, incarnation, question }: Testimony): void {
    heard.delete(node);
    heard.set(node, { node, incarnation, question, at: clock.monotonic() });
    for (const oldest of heard.keys()) {
      if (heard.size <= MAX_HEARD) break;
      heard.delete(oldest);
    }
    if (inDoubt) nextReply ??= clock.after(replyMs, () => say(0));
  }

  function hearPromise(from: Testimony, number: number): void {
    const since = asked.get(number);
    if (!inDoubt || since === undefined) return;
    const before = vouched.get(from.node);
    if (before?.incarnation === from.incarnation && before.since.monotonic >= since.monotonic) return;
    if (!options.others().some(({ node, incarnation }) => node === from.node && incarnation === from.incarnation))
      return;
    vouched.set(from.node, { incarnation: from.incarnation, since });
    weigh(since);
  }

  /** The word of all is as old as the oldest of them; `heard` is one of them. */
  function weigh(heard: Moment): void {
    let oldest = heard;
    for (const other of options.others()) {
      const word = vouched.get(other.node);
      if (word === undefined || word.incarnation !== other.incarnation) return;
      if (word.since.monotonic < oldest.monotonic) oldest = word.since;
    }
    options.onVouched(oldest);
  }

  hints?.onTestimony(hear);
  return {
    begin() {
      if (inDoubt) return;
      inDoubt = true;
      ask();
    },
    end() {
      inDoubt = false;
      nextQuestion?.();
      nextReply?.();
      nextQuestion = null;
      nextReply = null;
      asked.clear();
      vouched.clear();
    },
  };
}
