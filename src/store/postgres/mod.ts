/** The store on PostgreSQL: the public door of this folder. */
export { createPostgresAccountStore } from "./accounts.js";
export { createPostgresActorStore, type PostgresActorStore, type PostgresActorStoreOptions } from "./actor-store.js";
export { createPostgresAnnouncementStore, type PostgresAnnouncementStore } from "./announcements.js";
export { openAudit } from "./audit.js";
export { createPostgresAuditLog } from "./audit-log.js";
export { createPostgresChatHistory, type PostgresChatHistory } from "./chat-history.js";
export { DatabaseInUse, type DatabaseLock, lockDatabase } from "./database-lock.js";
export { createPostgresDeadLetterStore, type PostgresDeadLetterStore } from "./dead-letters.js";
export { createPostgresDeviceStore, type PostgresDeviceStore } from "./devices.js";
export {
  DataDirectoryInUse,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  prepareTcpServer,
  startEmbeddedPostgres,
  type TcpServer,
} from "./embedded/mod.js";
export { createPostgresEventOutbox, type PostgresEventOutbox } from "./event-outbox.js";
export { type MemberStatus, readMembers } from "./members.js";
export { migrate } from "./migrate.js";
export { createPostgresMoney, type PostgresMoney } from "./money.js";
export { createPostgresNotices } from "./notices.js";
export { createPostgresNotificationStore, type PostgresNotificationStore } from "./notifications.js";
export { createPostgresOwnershipStore, type PostgresOwnershipOptions } from "./ownership.js";
export { createPostgresRatings, type PostgresRatings } from "./ratings.js";
export { type Room, readRoom } from "./room.js";
export { createPostgresSearchStore, type PostgresSearchStore } from "./search.js";
