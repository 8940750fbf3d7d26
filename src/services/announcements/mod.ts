/**
 * Announcements (R-COM-2). Owns what is shown now, in this thread, and who is told of a change.
 *
 * Invariants: what is kept in memory is bounded; a reader is told each change of one announcement once, and in the order
 * in which they start; one that is over or taken back is shown to nobody; what was missed while notices were not heard is
 * read again. An announcement is a state, not an event: whoever comes back is shown all that still stand.
 */
import { createHmac } from "node:crypto";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Notices } from "../../lib/notices.js";
import { pageByAge } from "../../lib/page.js";
import type {
  ANNOUNCEMENT_OPERATIONS,
  Announcement,
  AnnouncementRecord,
  OperationHandlers,
  OperationResult,
  Role,
} from "../../protocol/mod.js";
import type { AnnouncementStore } from "./ports.js";

export type { AnnouncementStore } from "./ports.js";

/** Who reads: only what is for this role and zone is shown. A zone of null is in none. */
export interface Reader {
  readonly role: Role;
  readonly zone: string | null;
}

/** What a reader is to be shown, or to be shown no longer. */
export type Shown =
  | { readonly kind: "show"; readonly announcement: Announcement }
  | { readonly kind: "hide"; readonly announcementId: string; readonly startsAt: number };

export interface AnnouncementService {
  readonly operations: OperationHandlers<typeof ANNOUNCEMENT_OPERATIONS>;
  /** To be awaited before the first reader comes. Rejects when the store does not answer. */
  start(): Promise<void>;
  /** What stands for this reader, by start. */
  shownTo(reader: Reader): readonly Announcement[];
  /** Every change from now on; `show` for one that starts, `hide` for one that is over or taken back. */
  follow(reader: Reader, tell: (shown: Shown) => void): Cancel;
  close(): void;
}

/** Planned and shown at a time. */
const MAX_CURRENT = 200;
const READ_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 250;
const PAGE = 50;
const LONGEST_MS = 366 * 24 * 3_600_000;
const TOPIC = "announcements.changed";
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

interface Follower {
  readonly reader: Reader;
  readonly tell: (shown: Shown) => void;
}

export function createAnnouncements(deps: {
  readonly store: AnnouncementStore;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly log: Log;
  /** Ids are made of it, so that the same request gives the same announcement. */
  readonly secret: string;
}): AnnouncementService {
  const { store, notices, clock, log, secret } = deps;
  const followers = new Set<Follower>();
  let known: readonly AnnouncementRecord[] = [];
  const showing = new Map<string, AnnouncementRecord>();
  let reading: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const stands = (record: AnnouncementRecord, now: number): boolean =>
    record.withdrawnAt === undefined && record.startsAt <= now && record.endsAt > now;

  /** Tells followers what has begun since the last look, and what has ended or is not among what is known any more. */
  function look(): void {
    const now = clock.now();
    for (const record of [...showing.values()]) {
      const newest = known.find(({ announcementId }) => announcementId === record.announcementId);
      if (newest !== undefined && stands(newest, now)) continue;
      showing.delete(record.announcementId);
      tell(record, { kind: "hide", announcementId: record.announcementId, startsAt: record.startsAt });
    }
    for (const record of known) {
      if (showing.has(record.announcementId) || !stands(record, now)) continue;
      showing.set(record.announcementId, record);
      tell(record, { kind: "show", announcement: shown(record) });
    }
  }

  function tell(record: AnnouncementRecord, what: Shown): void {
    for (const follower of [...followers]) if (concerns(record, follower.reader)) follower.tell(what);
  }

  function read(): Promise<void> {
    if (reading !== null) {
      again = true;
      return reading;
    }
    reading = (async () => {
      do {
        again = false;
        const now = clock.now();
        const records = await store.current(now, MAX_CURRENT);
        if (closed) return;
        known = records;
        look();
      } while (again);
    })().finally(() => {
      reading = null;
    });
    return reading;
  }

  const readSoon = (): void => {
    read().catch((error: unknown) => log.warn({ error: String(error) }, "Announcements could not be read"));
  };
  const cancels: Cancel[] = [];

  async function stored<T>(work: () => Promise<OperationResult<T>>): Promise<OperationResult<T>> {
    try {
      return await work();
    } catch {
      return UNAVAILABLE;
    }
  }

  /** Here at once, elsewhere soon; who does not hear it reads it within a minute. */
  async function changed(): Promise<void> {
    await read();
    await notices.publish(TOPIC, null).catch(() => undefined);
  }

  return {
    operations: {
      "announcements.publish": ({ caller, body, key }) =>
        stored(async () => {
          const now = clock.now();
          const startsAt = Math.max(now, body.startsAt ?? now);
          if (body.endsAt <= startsAt || body.endsAt > startsAt + LONGEST_MS) {
            const problem = `must be after its start and at most ${LONGEST_MS} ms later`;
            return { ok: false, code: "invalid", detail: { path: "/endsAt", problem } };
          }
          const id = createHmac("sha256", secret).update(`announcement\n${caller.id}\n${key}`).digest("hex");
          const record = await store.add(
            {
              announcementId: `n${id.slice(0, 20)}`,
              title: body.title,
              text: body.text,
              level: body.level ?? "info",
              startsAt,
              endsAt: body.endsAt,
              roles: body.roles ?? [],
              zones: body.zones ?? [],
              createdAt: now,
              createdBy: caller.id,
            },
            MAX_CURRENT,
            now,
          );
          if (record === null) return { ok: false, code: "too_many", detail: { most: MAX_CURRENT } };
          await changed();
          return { ok: true, value: record };
        }),
      "announcements.withdraw": ({ params, body }) =>
        stored(async () => {
          const record = await store.withdraw(params.announcementId, clock.now(), body.reason);
          if (record === null) return { ok: false, code: "not_found" };
          await changed();
          return { ok: true, value: record };
        }),
      "announcements.all": ({ query }) =>
        stored(async () => {
          const { before, limit = PAGE } = query;
          const { rows, nextBefore } = await pageByAge(
            (most) => store.list(before ?? Number.MAX_SAFE_INTEGER, most),
            ({ startsAt }) => startsAt,
            limit,
          );
          return { ok: true, value: { announcements: [...rows], ...(nextBefore === undefined ? {} : { nextBefore }) } };
        }),
      "announcements.current": ({ caller, query }) => ({
        ok: true,
        value: {
          announcements: [...standing({ role: caller.role, zone: query.zone ?? null })],
          serverTime: clock.now(),
        },
      }),
    },
    async start() {
      cancels.push(notices.listen(TOPIC, { notice: readSoon, missed: readSoon }));
      cancels.push(clock.every(READ_EVERY_MS, readSoon), clock.every(LOOK_EVERY_MS, look));
      await read();
    },
    shownTo: standing,
    follow(reader, tell) {
      const follower: Follower = { reader, tell };
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    close() {
      closed = true;
      for (const cancel of cancels) cancel();
      followers.clear();
    },
  };

  function standing(reader: Reader): readonly Announcement[] {
    const now = clock.now();
    return [...showing.values()].filter((record) => stands(record, now) && concerns(record, reader)).map(shown);
  }
}

function concerns(record: AnnouncementRecord, { role, zone }: Reader): boolean {
  const forRole = record.roles.length === 0 || record.roles.includes(role);
  return forRole && (record.zones.length === 0 || (zone !== null && record.zones.includes(zone)));
}

function shown({ announcementId, title, text, level, startsAt, endsAt }: AnnouncementRecord): Announcement {
  return { announcementId, title, text, level, startsAt, endsAt };
}
