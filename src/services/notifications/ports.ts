/** What notifications need from their surroundings: rows, providers, addresses, and what an order is called. */
import type {
  AuditEntry,
  NoticeKind,
  NotificationChannel,
  NotificationRecord,
  NotificationWishes,
  OrderStatus,
  Role,
} from "../../protocol/mod.js";

export interface Recipient {
  readonly role: Role;
  readonly principalId: string;
}

/** An event that a commit has left for us. */
export interface PendingEvent {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  /** MessagePack of the event's body. */
  readonly body: Uint8Array;
}

/** One message to one recipient by one way. */
export interface Draft extends Recipient {
  /** The same event, recipient and way: the same id. */
  readonly notificationId: string;
  readonly kind: NoticeKind;
  readonly channel: NotificationChannel;
  readonly subject: string;
  /** Which of the recipient's devices; absent: all. Only with `push`. */
  readonly deviceIds?: readonly string[];
  /** What the text says, by name. No addresses and no names of persons. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly createdAt: number;
  /** Later than this nobody wants to hear it. */
  readonly expiresAt: number;
}

/** One that somebody has taken to send. */
export interface Taken extends Draft {
  /** This try counts already. */
  readonly attempts: number;
}

export type Outcome =
  | { readonly state: "sent" }
  | { readonly state: "dropped" | "dead"; readonly reason: string }
  | { readonly state: "waiting"; readonly nextAt: number; readonly reason: string };

export interface PushDevice {
  readonly deviceId: string;
  readonly token: string;
  readonly since: number;
}

/** As it is registered: it goes with the end of its session. Absent: by a token that belongs to none. */
export interface RegisteredDevice extends PushDevice {
  readonly sessionId?: string;
}

export interface Profile {
  readonly wishes: NotificationWishes | null;
  readonly deviceIds: readonly string[];
}

export type RetryOutcome = NotificationRecord | "not_found" | "not_dead";

/** Each call rejects when the store does not answer, and may be repeated. Adapters pass `notifications.contract.ts`. */
export interface NotificationStore {
  /** Events not yet planned, oldest first. */
  pending(limit: number): Promise<readonly PendingEvent[]>;
  /** Adds drafts whose id is new and takes the events out, all or nothing. How many were new. */
  plan(drafts: readonly Draft[], events: readonly number[]): Promise<number>;
  /** What is due at `now` by one of these ways, for the caller alone until `now + leaseMs`; each with one more attempt. */
  take(
    now: number,
    leaseMs: number,
    limit: number,
    channels: readonly NotificationChannel[],
  ): Promise<readonly Taken[]>;
  /** What became of a try. Nothing when it was settled meanwhile, or taken by another. */
  settle(notificationId: string, attempts: number, outcome: Outcome, now: number): Promise<void>;
  /** Newest first, created before `before`. */
  list(
    filter: { readonly state?: NotificationRecord["state"]; readonly principalId?: string },
    before: number,
    limit: number,
  ): Promise<readonly NotificationRecord[]>;
  /** A dead one waits again, its attempts forgotten, until `expiresAt`; recorded in the audit with it. */
  retry(
    notificationId: string,
    now: number,
    expiresAt: number,
    audit: Omit<AuditEntry, "entryId">,
  ): Promise<RetryOutcome>;
  /** Forgets what was settled before. */
  forget(before: number, limit: number): Promise<number>;

  wishes(recipient: Recipient): Promise<NotificationWishes | null>;
  /** Wishes, and ids of devices, of each of them, in their order. */
  profiles(recipients: readonly Recipient[]): Promise<readonly Profile[]>;
  saveWishes(recipient: Recipient, wishes: NotificationWishes): Promise<void>;
  /** Oldest first. */
  devices(recipient: Recipient): Promise<readonly PushDevice[]>;
  /**
   * False: there are `most` others; `ended`: its session is over, and it is not kept. The same device again changes its token, and its session. Whoever else had the token has it no more,
   * whatever comes of it: the phone has changed hands. Only a person's other roles keep it.
   */
  saveDevice(recipient: Recipient, device: RegisteredDevice, most: number): Promise<boolean | "ended">;
  removeDevice(recipient: Recipient, deviceId: string): Promise<void>;
  /** Forgets wishes, devices and messages of somebody. */
  erase(recipient: Recipient): Promise<void>;
}

/** A message with its address, as a provider gets it. */
export interface Message {
  /** The same id is the same message, however often it comes: the provider tells the recipient once. */
  readonly id: string;
  readonly channel: NotificationChannel;
  /** A device's token, a telephone number, or an e-mail address. */
  readonly to: string;
  readonly locale: string;
  readonly title: string;
  readonly text: string;
  /** For an app that is opened by it. */
  readonly subject: string;
}

/** Tells people. Resolves once the message is the provider's. */
export interface NotificationProvider {
  send(message: Message): Promise<void>;
}

/** The provider understood and will never do this: the number does not exist, the token is over. */
export class NotificationRefused extends Error {
  override readonly name = "NotificationRefused";
}

/** No answer, or a passing fault: trying again under the same id is safe. */
export class NotificationUnavailable extends Error {
  override readonly name = "NotificationUnavailable";
}

/** Where somebody can be reached. Rejects when it cannot be found out now. */
export interface AddressBook {
  /** Every account that acts as this recipient; a restaurant may have several. */
  addressesOf(recipient: Recipient): Promise<readonly { readonly email?: string; readonly phone?: string }[]>;
}

/** What an order is called by people, and how far it is. */
export interface OrderFact {
  readonly restaurant: string;
  readonly arrivesAt?: number;
  readonly status?: OrderStatus;
}

/** Rejects when the index does not answer. */
export interface OrderFacts {
  of(orderIds: readonly string[]): Promise<ReadonlyMap<string, OrderFact>>;
}
