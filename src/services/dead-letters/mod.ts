/**
 * Dead letters for operations: listed, driven again, set aside. Owns when a drive counts as done and under which command
 * id it goes; does not own what driving means (the engine) nor how a fact is booked (the bookkeeper).
 *
 * Invariants: the reason stands in the audit before anything is done; a letter acts once, whoever drives it however often.
 */
import type { ActorClient } from "../../actors/runtime/mod.js";
import { driveAgain } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { pageByAge } from "../../lib/page.js";
import type {
  DEAD_LETTER_OPERATIONS,
  DeadLetterRecord,
  OperationCaller,
  OperationHandlers,
  OperationResult,
} from "../../protocol/mod.js";
import type { AuditDraft, DeadLetterStore, DriveOutcome } from "./ports.js";

export type { DeadLetterStore, Driven, DriveOutcome } from "./ports.js";

const PAGE = 50;
const TIMEOUT_MS = 5_000;
/** The engine knows a command id for a day. What may have been done longer ago than this is not driven again. */
const SURELY_KNOWN_MS = 23 * 3_600_000;
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;
/** Of a temporary error: the handler threw, and what it did is forgotten. */
const THREW = "internal";

/** No longer than this, and no half of a character at its end. */
const cut = (text: string, most: number): string => text.slice(0, most).replace(/[\ud800-\udbff]$/, "");

export function deadLetterOperations(deps: {
  readonly store: DeadLetterStore;
  readonly client: Pick<ActorClient, "ask">;
  /** Takes out of a text what is personal or secret: reasons are what some program said. */
  readonly redacted: (text: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}): OperationHandlers<typeof DEAD_LETTER_OPERATIONS> {
  const { store, client, redacted, clock } = deps;
  const log = deps.log.child({ part: "dead-letters" });

  async function stored<T>(work: () => Promise<OperationResult<T>>): Promise<OperationResult<T>> {
    try {
      return await work();
    } catch (error) {
      log.warn({ error }, "Dead letters could not be read or written");
      return UNAVAILABLE;
    }
  }

  const draft = (
    verb: "drive" | "set_aside",
    { id, role, accountId }: OperationCaller,
    { letterId, reason }: { readonly letterId: string; readonly reason: string },
    key: string,
  ): AuditDraft => ({
    at: clock.now(),
    role,
    principalId: id,
    ...(accountId === undefined ? {} : { accountId }),
    action: `dead_letter.${verb}`,
    subject: `dead_letter/${letterId}`.slice(0, 140),
    reason,
    // The same request again is the same deed.
    once: `dead_letter.${verb}/${letterId}/${role}/${id}/${key}`,
  });

  const found = (record: DeadLetterRecord | null): OperationResult<DeadLetterRecord> =>
    record === null ? { ok: false, code: "not_found" } : { ok: true, value: shown(record) };

  function shown(record: DeadLetterRecord): DeadLetterRecord {
    const { subject, name, reason } = record;
    return { ...record, subject: cut(subject, 200), name: cut(name, 100), reason: cut(redacted(reason), 300) };
  }

  async function drive(letterId: string, audit: AuditDraft): Promise<OperationResult<DeadLetterRecord>> {
    const now = clock.now();
    const begun = await store.begin(letterId, now, now - SURELY_KNOWN_MS, audit);
    if (begun === null) return { ok: false, code: "not_found" };
    if ("stands" in begun) {
      return begun.stands.state === "driven"
        ? found(begun.stands)
        : { ok: false, code: "illegal_transition", detail: { status: "outcome_unknown" } };
    }
    const answer = await driveAgain(client, begun.letter, {
      commandId: `again:${begun.round}:${letterId}`,
      // Nobody's rights: the message goes in the name of whoever sent it the first time.
      caller: { id: "dead-letters", role: "admin" },
      timeoutMs: TIMEOUT_MS,
    });
    if (!answer.ok && answer.error.temporary && answer.error.code !== THREW) {
      const { code, retryAfterMs } = answer.error;
      const known = code === "timeout" || code === "overloaded" ? code : "unavailable";
      return { ok: false, code: known, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    const outcome: DriveOutcome = answer.ok
      ? { state: "driven" }
      : { state: "waiting", answer: answer.error.code, isRemembered: answer.error.code !== THREW };
    return found(await store.settle(letterId, begun.round, outcome, clock.now()));
  }

  return {
    "dead_letters.list": ({ query }) =>
      stored(async () => {
        const { state = "waiting", source, before, limit = PAGE } = query;
        const filter = { state, ...(source === undefined ? {} : { source }) };
        const { rows, nextBefore } = await pageByAge(
          (most) => store.list(filter, before ?? Number.MAX_SAFE_INTEGER, most),
          ({ at }) => at,
          limit,
        );
        return { ok: true, value: { letters: rows.map(shown), ...(nextBefore === undefined ? {} : { nextBefore }) } };
      }),
    "dead_letters.drive": ({ caller, body, key }) =>
      stored(async () => {
        const audit = draft("drive", caller, body, key);
        if (!body.letterId.startsWith("money:")) return drive(body.letterId, audit);
        return found(await store.bookAgain(body.letterId, clock.now(), audit));
      }),
    "dead_letters.set_aside": ({ caller, body, key }) =>
      stored(async () => {
        const { letterId } = body;
        if (letterId.startsWith("money:"))
          return { ok: false, code: "illegal_transition", detail: { status: "unbooked" } };
        const record = await store.setAside(letterId, clock.now(), draft("set_aside", caller, body, key));
        if (record?.state === "driven")
          return { ok: false, code: "illegal_transition", detail: { status: record.state } };
        return found(record);
      }),
  };
}
