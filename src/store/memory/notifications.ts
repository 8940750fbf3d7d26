import type { AuditEntry, NotificationRecord, NotificationWishes } from "../../protocol/mod.js";
import type {
  Draft,
  NotificationStore,
  PendingEvent,
  PushDevice,
  Recipient,
} from "../../services/notifications/ports.js";

export interface MemoryNotificationStore extends NotificationStore {
  /** What a commit leaves, as the trigger does on PostgreSQL. */
  leave(event: Omit<PendingEvent, "id">): void;
  readonly audit: readonly Omit<AuditEntry, "entryId">[];
}

interface Row {
  readonly draft: Draft;
  state: NotificationRecord["state"];
  attempts: number;
  nextAt: number;
  expiresAt: number;
  settledAt: number | null;
  reason: string;
}

const nameOf = ({ role, principalId }: Recipient): string => `${role}/${principalId}`;

/** Notifications in memory: the twin of the store on PostgreSQL. */
export function createMemoryNotificationStore(): MemoryNotificationStore {
  let inbox: PendingEvent[] = [];
  let events = 0;
  const rows = new Map<string, Row>();
  const wishes = new Map<string, NotificationWishes>();
  const devices = new Map<string, PushDevice[]>();
  const audit: Omit<AuditEntry, "entryId">[] = [];

  const recordOf = ({ draft, state, attempts, nextAt, settledAt, reason }: Row): NotificationRecord => {
    const { notificationId, role, principalId, kind, channel, subject, createdAt } = draft;
    return {
      notificationId,
      role,
      principalId,
      kind,
      channel,
      subject,
      state,
      attempts,
      createdAt,
      ...(state === "waiting" ? { nextAt } : {}),
      ...(settledAt === null ? {} : { settledAt }),
      ...(reason === "" ? {} : { reason }),
    };
  };
  const newestFirst = (a: Row, b: Row): number =>
    b.draft.createdAt - a.draft.createdAt || (a.draft.notificationId < b.draft.notificationId ? 1 : -1);

  return {
    audit,
    leave(event) {
      events++;
      inbox.push({ ...event, id: events });
    },
    pending: async (limit) => inbox.slice(0, limit),
    async plan(drafts, planned) {
      let fresh = 0;
      for (const draft of drafts) {
        if (rows.has(draft.notificationId)) continue;
        fresh++;
        const { createdAt, expiresAt } = draft;
        const row: Row = {
          draft,
          state: "waiting",
          attempts: 0,
          nextAt: createdAt,
          expiresAt,
          settledAt: null,
          reason: "",
        };
        rows.set(draft.notificationId, row);
      }
      const done = new Set(planned);
      inbox = inbox.filter(({ id }) => !done.has(id));
      return fresh;
    },
    async take(now, leaseMs, limit, channels) {
      const due = [...rows.values()].filter(
        ({ state, nextAt, draft }) => state === "waiting" && nextAt <= now && channels.includes(draft.channel),
      );
      return due
        .sort((a, b) => a.nextAt - b.nextAt)
        .slice(0, limit)
        .map((row) => {
          row.attempts++;
          row.nextAt = now + leaseMs;
          return { ...row.draft, expiresAt: row.expiresAt, attempts: row.attempts };
        });
    },
    async settle(notificationId, attempts, outcome, now) {
      const row = rows.get(notificationId);
      if (row === undefined || row.state !== "waiting" || row.attempts !== attempts) return;
      row.state = outcome.state;
      row.nextAt = outcome.state === "waiting" ? outcome.nextAt : now;
      row.settledAt = outcome.state === "waiting" ? null : now;
      row.reason = "reason" in outcome ? outcome.reason : "";
    },
    async list({ state, principalId }, before, limit) {
      return [...rows.values()]
        .filter(
          (row) =>
            row.draft.createdAt < before &&
            (state === undefined || row.state === state) &&
            (principalId === undefined || row.draft.principalId === principalId),
        )
        .sort(newestFirst)
        .slice(0, limit)
        .map(recordOf);
    },
    async retry(notificationId, now, expiresAt, entry) {
      const row = rows.get(notificationId);
      if (row === undefined) return "not_found";
      if (row.state !== "dead") return "not_dead";
      row.state = "waiting";
      row.attempts = 0;
      row.nextAt = now;
      row.settledAt = null;
      row.expiresAt = Math.max(row.expiresAt, expiresAt);
      audit.push(entry);
      return recordOf(row);
    },
    async forget(before, limit) {
      const old = [...rows.values()]
        .filter(({ settledAt }) => settledAt !== null && settledAt < before)
        .slice(0, limit);
      for (const { draft } of old) rows.delete(draft.notificationId);
      return old.length;
    },
    wishes: async (recipient) => wishes.get(nameOf(recipient)) ?? null,
    profiles: async (recipients) =>
      recipients.map((recipient) => ({
        wishes: wishes.get(nameOf(recipient)) ?? null,
        deviceIds: (devices.get(nameOf(recipient)) ?? []).map(({ deviceId }) => deviceId),
      })),
    async saveWishes(recipient, wished) {
      wishes.set(nameOf(recipient), wished);
    },
    devices: async (recipient) => [...(devices.get(nameOf(recipient)) ?? [])],
    async saveDevice(recipient, { deviceId, token, since }, most) {
      // Sessions are not kept here.
      const device: PushDevice = { deviceId, token, since };
      for (const [name, theirs] of devices) {
        // A role's name has no slash.
        if (name.slice(name.indexOf("/") + 1) === recipient.principalId) continue;
        devices.set(
          name,
          theirs.filter(({ token }) => token !== device.token),
        );
      }
      const before = devices.get(nameOf(recipient)) ?? [];
      const known = before.find(({ deviceId }) => deviceId === device.deviceId);
      const others = before.filter(({ deviceId }) => deviceId !== device.deviceId);
      if (others.length >= most) return false;
      const next = [...others, { ...device, since: known?.since ?? device.since }];
      next.sort((a, b) => a.since - b.since || (a.deviceId < b.deviceId ? -1 : 1));
      devices.set(nameOf(recipient), next);
      return true;
    },
    async removeDevice(recipient, deviceId) {
      const left = (devices.get(nameOf(recipient)) ?? []).filter((each) => each.deviceId !== deviceId);
      devices.set(nameOf(recipient), left);
    },
    async erase(recipient) {
      const name = nameOf(recipient);
      wishes.delete(name);
      devices.delete(name);
      for (const [id, { draft }] of rows) if (nameOf(draft) === name) rows.delete(id);
    },
  };
}
