/** Where announcements are kept. */
import type { AnnouncementRecord } from "../../protocol/mod.js";

/** All methods reject when the database does not answer; all may be repeated. */
export interface AnnouncementStore {
  /** Adds it unless its id is there already, and returns what is there. Null when `most` are planned or shown already. */
  add(record: AnnouncementRecord, most: number, now: number): Promise<AnnouncementRecord | null>;
  /** Null when there is no such announcement. The first withdrawal stays. */
  withdraw(announcementId: string, at: number, reason: string): Promise<AnnouncementRecord | null>;
  /** Neither over at `now` nor withdrawn; at most `limit`, by start and id. */
  current(now: number, limit: number): Promise<readonly AnnouncementRecord[]>;
  /** Started before `before`, the latest start first. */
  list(before: number, limit: number): Promise<readonly AnnouncementRecord[]>;
}
