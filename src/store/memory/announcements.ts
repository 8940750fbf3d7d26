import type { AnnouncementRecord } from "../../protocol/mod.js";
import type { AnnouncementStore } from "../../services/announcements/ports.js";

/** Announcements in memory: the twin of the store on PostgreSQL. */
export function createMemoryAnnouncementStore(): AnnouncementStore {
  const rows: AnnouncementRecord[] = [];
  const byStart = (a: AnnouncementRecord, b: AnnouncementRecord): number =>
    a.startsAt - b.startsAt || (a.announcementId < b.announcementId ? -1 : 1);
  return {
    async add(record, most, now) {
      const known = rows.find(({ announcementId }) => announcementId === record.announcementId);
      if (known !== undefined) return known;
      if (rows.filter(({ endsAt, withdrawnAt }) => endsAt > now && withdrawnAt === undefined).length >= most)
        return null;
      rows.push(record);
      return record;
    },
    async withdraw(announcementId, at, reason) {
      const index = rows.findIndex((row) => row.announcementId === announcementId);
      const row = rows[index];
      if (row === undefined) return null;
      if (row.withdrawnAt === undefined) rows[index] = { ...row, withdrawnAt: at, withdrawnBecause: reason };
      return rows[index]!;
    },
    async current(now, limit) {
      return rows
        .filter(({ endsAt, withdrawnAt }) => endsAt > now && withdrawnAt === undefined)
        .sort(byStart)
        .slice(0, limit);
    },
    async list(before, limit) {
      return rows
        .filter(({ startsAt }) => startsAt < before)
        .sort((a, b) => byStart(b, a))
        .slice(0, limit);
    },
  };
}
