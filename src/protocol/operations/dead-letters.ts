/** What kept failing and was put aside for a person: seen, driven again when its cause is mended, or set aside for good. */
import { MOST_AT_ONCE } from "../../lib/page.js";
import { Count, Millis, Name, type Static, Strict, Text, Type } from "../schemas.js";
import { operations, PAGES_BY_AGE } from "./operation.js";

const named = <T extends string>(values: readonly T[]) => Type.Unsafe<T>({ type: "string", enum: [...values] });

/**
 * `command`: its handler threw. `tell`: an actor's message that nobody took. `effect`: what an actor asked of the world.
 * `money`: a fact that could not be booked. What people were to be told has a list of its own (`notifications.list`).
 */
export const LETTER_SOURCES = ["command", "tell", "effect", "money"] as const;
export type LetterSource = (typeof LETTER_SOURCES)[number];
export const LETTER_STATES = ["waiting", "driven", "set_aside"] as const;
export type LetterState = (typeof LETTER_STATES)[number];

/** It names ids and never says what was in the message: that may be personal. */
export const DeadLetterRecord = Strict({
  letterId: Text(400),
  source: named(LETTER_SOURCES),
  /** Whom it was for: `order/…`. */
  subject: Text(200),
  /** The command, or the effect. */
  name: Text(100),
  /** When it was put aside; of money, when it happened. */
  at: Millis,
  reason: Text(300),
  /** How often it was tried before; 0 where an older release put it aside. */
  attempts: Count(Number.MAX_SAFE_INTEGER),
  state: named(LETTER_STATES),
  /** How often it was driven again. */
  drives: Count(Number.MAX_SAFE_INTEGER),
  /** A drive under way, or one whose outcome nobody knows. */
  drivingSince: Type.Optional(Millis),
  /** Why the last drive did nothing: an error code. */
  answer: Type.Optional(Text(100)),
  settledAt: Type.Optional(Millis),
});
export type DeadLetterRecord = Static<typeof DeadLetterRecord>;

const staff = ["support", "admin"] as const;
const Named = Strict({ letterId: Name(400), reason: Name(300) });

export const DEAD_LETTER_OPERATIONS = operations({
  "dead_letters.list": {
    method: "GET",
    path: "/v1/dead-letters",
    summary: `What was put aside because it kept failing, newest first; usually what waits for a person. ${PAGES_BY_AGE}`,
    access: staff,
    tier: "browse",
    query: Strict({
      state: Type.Optional(named(LETTER_STATES)),
      source: Type.Optional(named(LETTER_SOURCES)),
      before: Type.Optional(Millis),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    }),
    reply: Strict({
      letters: Type.Array(DeadLetterRecord, { maxItems: MOST_AT_ONCE }),
      nextBefore: Type.Optional(Millis),
    }),
    refusals: ["unavailable"],
  },
  "dead_letters.drive": {
    method: "POST",
    path: "/v1/dead-letters/drive",
    summary:
      "Drive one again, when its cause is mended: under the keys of the first time, so that nothing is done twice. It stays `waiting`, with the `answer`, when that was in vain.",
    access: staff,
    tier: "command",
    body: Named,
    reply: DeadLetterRecord,
    refusals: ["not_found", "illegal_transition", "timeout", "overloaded", "unavailable"],
  },
  "dead_letters.set_aside": {
    method: "POST",
    path: "/v1/dead-letters/set-aside",
    summary: "Nothing is to be done about one any more. A fact of money cannot be set aside: the books need it.",
    access: staff,
    tier: "command",
    body: Named,
    reply: DeadLetterRecord,
    refusals: ["not_found", "illegal_transition", "unavailable"],
  },
});
