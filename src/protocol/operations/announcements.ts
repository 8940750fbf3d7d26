/** What everybody, or everybody of a role or a zone, is told. */
import { MOST_AT_ONCE } from "../../lib/page.js";
import { ROLES, type Role } from "../commands.js";
import { Count, Id, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations, PAGES_BY_AGE } from "./operation.js";

/** The channel by socket: `announcements:all`, or `announcements:<zone>` for those of a zone too. Every role may listen. */
export const ANNOUNCEMENTS_CHANNEL = "announcements";
/** Key of the channel, and `zone` of the others, for whoever is in no zone. */
export const EVERYWHERE = "all";

const RoleName = Type.Unsafe<Role>({ type: "string", enum: [...ROLES] });
const Level = Type.Unsafe<"info" | "warning" | "urgent">({ type: "string", enum: ["info", "warning", "urgent"] });
const Zone = Id;

/** As those see it whom it is for. */
export const Announcement = Strict({
  announcementId: Id,
  title: Text(120),
  text: Text(2000),
  level: Level,
  /** From when to when it is shown. */
  startsAt: Millis,
  endsAt: Millis,
});
export type Announcement = Static<typeof Announcement>;

/** As those see it who make it. */
export const AnnouncementRecord = Strict({
  ...Announcement.properties,
  /** Empty: all. */
  roles: Type.Array(RoleName, { maxItems: 5 }),
  /** Empty: everywhere. */
  zones: Type.Array(Zone, { maxItems: 100 }),
  createdAt: Millis,
  createdBy: Id,
  /** Absent: it was not. */
  withdrawnAt: Type.Optional(Millis),
  withdrawnBecause: Type.Optional(Text(200)),
});
export type AnnouncementRecord = Static<typeof AnnouncementRecord>;

const staff = ["support", "admin"] as const;
const ZoneQuery = Strict({ zone: Type.Optional(Zone) });

export const ANNOUNCEMENT_OPERATIONS = operations({
  "announcements.publish": {
    method: "POST",
    path: "/v1/announcements",
    summary: "Tell everybody, or those of some roles or zones, from now or from a time on, until it expires.",
    access: staff,
    tier: "command",
    body: Strict({
      title: Text(120),
      text: Text(2000),
      level: Type.Optional(Level),
      roles: Type.Optional(Type.Array(RoleName, { maxItems: 5, uniqueItems: true })),
      zones: Type.Optional(Type.Array(Zone, { maxItems: 100, uniqueItems: true })),
      /** Default: now. */
      startsAt: Type.Optional(Millis),
      endsAt: Millis,
    }),
    reply: AnnouncementRecord,
    refusals: ["too_many", "unavailable"],
  },
  "announcements.withdraw": {
    method: "POST",
    path: "/v1/announcements/:announcementId/withdraw",
    summary: "Take an announcement back: it leaves every screen within seconds.",
    access: staff,
    tier: "command",
    params: Strict({ announcementId: Id }),
    body: Strict({ reason: Text(200) }),
    reply: AnnouncementRecord,
    refusals: ["not_found", "unavailable"],
  },
  "announcements.all": {
    method: "GET",
    path: "/v1/announcements/all",
    summary: `Every announcement, planned, shown, over or taken back; those that start last come first. ${PAGES_BY_AGE}`,
    access: staff,
    tier: "browse",
    query: Strict({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })), before: Type.Optional(Millis) }),
    reply: Strict({
      announcements: Type.Array(AnnouncementRecord, { maxItems: MOST_AT_ONCE }),
      nextBefore: Type.Optional(Millis),
    }),
    refusals: ["unavailable"],
  },
  "announcements.current": {
    method: "GET",
    path: "/v1/announcements",
    summary: "What is to be shown to the caller now, the first first.",
    access: ROLES,
    tier: "browse",
    query: ZoneQuery,
    reply: Strict({ announcements: Type.Array(Announcement, { maxItems: 200 }), serverTime: Count(8_640_000_000_000) }),
  },
});
