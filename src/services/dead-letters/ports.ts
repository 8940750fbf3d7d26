/** Where letters are kept after the engine and the bookkeeper have put them aside. */
import type { Caller } from "../../actors/runtime/definition.js";
import type { DeadLetter } from "../../actors/runtime/ports.js";
import type { AuditEntry, DeadLetterRecord, LetterSource, LetterState } from "../../protocol/mod.js";

/** What the audit says of a deed. Of two with the same `once` one is kept. */
export type AuditDraft = Omit<AuditEntry, "entryId"> & { readonly once: string };

/** One that is to be driven. */
export interface Driven {
  readonly record: DeadLetterRecord;
  readonly letter: DeadLetter;
  /** Rises when a drive has surely done nothing. Part of the command id: what may have been done is not done again. */
  readonly round: number;
}

/** What a drive came to. */
export type DriveOutcome =
  | { readonly state: "driven" }
  /** `isRemembered`: the same command id would get the same refusal for a day, so the next drive needs another. */
  | { readonly state: "waiting"; readonly answer: string; readonly isRemembered: boolean };

/** Every call rejects when the store does not answer; each may be repeated. */
export interface DeadLetterStore {
  /** Put aside before `before`, newest first. */
  list(
    filter: { readonly state?: LetterState; readonly source?: LetterSource },
    before: number,
    limit: number,
  ): Promise<readonly DeadLetterRecord[]>;
  /**
   * Begins a drive of a message of the engine, or answers with what stands when there is nothing to begin: it was driven,
   * or nobody knows what came of a drive that began before `unknownBefore`. The audit is written in the same transaction.
   */
  begin(
    letterId: string,
    now: number,
    unknownBefore: number,
    audit: AuditDraft,
  ): Promise<Driven | { readonly stands: DeadLetterRecord } | null>;
  settle(letterId: string, round: number, outcome: DriveOutcome, now: number): Promise<DeadLetterRecord | null>;
  /** Gives a fact of money back to the bookkeeper, in its place. Once; then it answers with what stands. */
  bookAgain(letterId: string, now: number, audit: AuditDraft): Promise<DeadLetterRecord | null>;
  /** Of the engine's. Answers with what stands. */
  setAside(letterId: string, now: number, audit: AuditDraft): Promise<DeadLetterRecord | null>;
  /** Removes what somebody asked for. */
  erase(caller: Caller): Promise<void>;
  /** How many wait for a person, up to a bound. */
  waiting(): Promise<number>;
  /** Removes what was settled before then; returns how many. */
  forget(before: number, limit: number): Promise<number>;
}
