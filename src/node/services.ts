/**
 * The services that stand beside the engine, on their stores: one set for each gateway thread. A new service is opened
 * here and gives its handlers to the gateway.
 */
import type { ActorClient, ActorStore } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Notices } from "../lib/notices.js";
import type { AnyOperationHandlers } from "../protocol/mod.js";
import { type AnnouncementService, createAnnouncements } from "../services/announcements/mod.js";
import type { AuditLog } from "../services/audit/mod.js";
import { type ChatHistory, chatOperations } from "../services/chat/mod.js";
import { type DeadLetterStore, deadLetterOperations } from "../services/dead-letters/mod.js";
import { createDeviceService, DEFAULT_DEVICE_SETTINGS, type DeviceService } from "../services/devices/mod.js";
import { kitchenOperations, type NotificationStore, notificationOperations } from "../services/notifications/mod.js";
import {
  createPostgresAnnouncementStore,
  createPostgresAuditLog,
  createPostgresChatHistory,
  createPostgresDeadLetterStore,
  createPostgresDeviceStore,
  createPostgresNotificationStore,
} from "../store/postgres/mod.js";
import { redacted } from "../telemetry/mod.js";
import type { ThreadPlan } from "./plan.js";

export interface OpenServices {
  /** What was said in rooms. */
  readonly talk: ChatHistory;
  readonly notifications: NotificationStore;
  readonly devices: DeviceService;
  readonly announcements: AnnouncementService;
  readonly audit: Pick<AuditLog, "append">;
  readonly deadLetters: DeadLetterStore;
  /** Answers of services that give nothing else. */
  readonly operations: readonly AnyOperationHandlers[];
  /** To be awaited before the gateway listens. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function openServices({
  plan,
  client,
  index,
  notices,
  clock,
  log,
}: {
  readonly plan: ThreadPlan;
  readonly client: ActorClient;
  readonly index: Pick<ActorStore, "queryIndex">;
  /** What one says, every gateway thread of every node hears. */
  readonly notices: Notices;
  readonly clock: Clock;
  readonly log: Log;
}): OpenServices {
  const { connectionString, secrets } = plan;
  const deviceStore = createPostgresDeviceStore({ connectionString, clock, log });
  const devices = createDeviceService({
    store: deviceStore,
    notices,
    clock,
    secret: secrets.orderIdSecret,
    settings: DEFAULT_DEVICE_SETTINGS,
  });
  const announcementStore = createPostgresAnnouncementStore({ connectionString, clock, log });
  const announcements = createAnnouncements({
    store: announcementStore,
    notices,
    clock,
    log: log.child({ part: "announcements" }),
    secret: secrets.orderIdSecret,
  });
  const history = createPostgresChatHistory({ connectionString, clock, log });
  const notifications = createPostgresNotificationStore({ connectionString, clock, log });
  const audit = createPostgresAuditLog({ connectionString, clock, log });
  const deadLetters = createPostgresDeadLetterStore({ connectionString, clock, log });
  return {
    audit,
    deadLetters,
    announcements,
    notifications,
    talk: history,
    operations: [
      chatOperations({ client, index, history, clock }),
      notificationOperations(notifications, clock),
      kitchenOperations({ client, audit, clock }),
      deadLetterOperations({ store: deadLetters, client, redacted, clock, log }),
    ],
    start: () => announcements.start(),
    devices,
    async close() {
      devices.close();
      announcements.close();
      await Promise.all([
        deviceStore.close(),
        announcementStore.close(),
        history.close(),
        notifications.close(),
        audit.close(),
        deadLetters.close(),
      ]);
    },
  };
}
