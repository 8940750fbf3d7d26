/** Notifications (R-COM-3): who is told what by which way, through providers' ports, from the outbox. */
export { DEFAULT_WISHES, KINDS, waysOf } from "./kinds.js";
export { kitchenOperations } from "./kitchens.js";
export {
  createNotifier,
  DEFAULT_NOTIFIER_SETTINGS,
  type Notifier,
  type NotifierSettings,
  type Providers,
} from "./notifier.js";
export { notificationOperations } from "./operations.js";
export {
  type AddressBook,
  type Message,
  type NotificationProvider,
  NotificationRefused,
  type NotificationStore,
  NotificationUnavailable,
  type OrderFacts,
} from "./ports.js";
export { SANDBOX_ADDRESSES, type SandboxProvider, sandboxProvider } from "./sandbox.js";
export { type WebhookSettings, webhookProvider } from "./webhook.js";
