import type { AuditEntry } from "../../protocol/mod.js";

/** What is to be recorded; its number comes from the log. */
export type AuditDraft = Omit<AuditEntry, "entryId"> & {
  /** Of two drafts with the same text here one is kept: what is not known to be written may be written again. */
  readonly once?: string;
};

export interface AuditQuery {
  readonly subject?: string;
  readonly principalId?: string;
  /** Entries with a lower number. */
  readonly before?: number;
  readonly limit: number;
}

/** Takes entries and gives them; none is ever changed. Throws when the store does not answer. */
export interface AuditLog {
  append(entries: readonly AuditDraft[]): Promise<void>;
  /** Newest first. */
  read(query: AuditQuery): Promise<readonly AuditEntry[]>;
}
