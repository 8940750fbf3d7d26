/**
 * The notifier: takes what the actors' commits have left for people, and has providers tell them. Every node has one; the
 * store gives each message to one of them at a time.
 *
 * Invariants: an event leaves the inbox in the transaction that plans its messages, so nothing is lost; the same event
 * plans the same ids, so nothing is planned twice; a message is sent again, under its id, until the provider has taken it,
 * refused it, or it has become pointless; what was given up stays in the list of the dead until somebody has it tried
 * again. At most `batch` events and, of each way, `atOnce` messages are in memory; a way whose provider does not answer
 * holds up no other, and never what is to be planned.
 */
import { createHash } from "node:crypto";
import type { Cancel, Clock } from "../../lib/clock.js";
import { createParts } from "../../lib/in-parts.js";
import type { Log } from "../../lib/log.js";
import type { Random } from "../../lib/random.js";
import type { MarketClock } from "../../lib/wall-time.js";
import { NOTIFICATION_CHANNELS, type NotificationChannel } from "../../protocol/mod.js";
import { DEFAULT_WISHES, isOvertaken } from "./kinds.js";
import { draftsOf, type Read, readEvent } from "./plan.js";
import {
  type AddressBook,
  type Message,
  type NotificationProvider,
  NotificationRefused,
  type NotificationStore,
  type OrderFacts,
  type Outcome,
  type Recipient,
  type Taken,
} from "./ports.js";
import { textOf } from "./texts.js";

export interface NotifierSettings {
  /** How often an idle one looks. */
  readonly everyMs: number;
  readonly batch: number;
  /** Messages under way at once, by each way. */
  readonly atOnce: number;
  /** How long a taken message is nobody else's; longer than a provider's time limit. */
  readonly leaseMs: number;
  /** The pause after the first failed try; doubles up to `retryMostMs`. */
  readonly retryMs: number;
  readonly retryMostMs: number;
  /** Tries before a message is given up. */
  readonly maxAttempts: number;
  /** Settled messages are kept for this long. */
  readonly keepMs: number;
  /** The market's wall clock in texts. */
  readonly market: MarketClock;
}

export const DEFAULT_NOTIFIER_SETTINGS: NotifierSettings = {
  everyMs: 500,
  batch: 200,
  atOnce: 16,
  leaseMs: 30_000,
  retryMs: 2_000,
  retryMostMs: 300_000,
  maxAttempts: 8,
  keepMs: 7 * 24 * 3_600_000,
  market: { timeZone: null, utcOffsetMinutes: 0 },
};

export type Providers = Readonly<Record<NotificationChannel, NotificationProvider>>;

export interface Notifier {
  /** Plans and sends what waits now. Resolves when nothing is due any more; rejects when the store does not answer. */
  work(): Promise<void>;
  stats(): {
    readonly planned: number;
    readonly sent: number;
    readonly retried: number;
    readonly dead: number;
    readonly dropped: number;
    readonly failures: number;
  };
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

const FORGET_EVERY_MS = 60_000;
const FORGET = { rows: 1_000, parts: 300, pauseMs: 100 } as const;
const NO_ADDRESS = "there is no address";
const PART_LENGTH = 16;
const ORDER = "order/";
/** What is planned later than this after its event was held up, and is looked at as one that was tried. */
const PROMPT_MS = 60_000;

/**
 * What an id says of an address: the same for the same one, whoever else is told in this try and whoever was in the last,
 * and nothing that could be read.
 */
const partOf = (notificationId: string, address: string): string =>
  createHash("sha256").update(`${notificationId} ${address}`).digest("base64url").slice(0, PART_LENGTH);

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function createNotifier(deps: {
  readonly store: NotificationStore;
  readonly providers: Providers;
  readonly addresses: AddressBook;
  readonly orders: OrderFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings?: Partial<NotifierSettings>;
}): Notifier {
  const { store, providers, addresses, orders, clock, random } = deps;
  const log = deps.log.child({ part: "notifications" });
  const settings = { ...DEFAULT_NOTIFIER_SETTINGS, ...deps.settings };
  const counts = { planned: 0, sent: 0, retried: 0, dead: 0, dropped: 0, failures: 0 };
  let stopped = false;
  let busy: Promise<void> | null = null;
  let filling: Promise<void> | null = null;
  /** The last look ended because no lane was free, not because nothing was due. */
  let isFull = false;
  const underWay = new Set<Promise<void>>();
  const lanes = new Map<NotificationChannel, number>();
  let forgetting: Promise<void> | null = null;

  async function planOnce(): Promise<number> {
    const events = await store.pending(settings.batch);
    if (events.length === 0) return 0;
    const read = events.map(readEvent).filter((each): each is Read => each !== null);
    const orderIds = [...new Set(read.flatMap(({ orderId }) => (orderId === null ? [] : [orderId])))];
    const known = orderIds.length === 0 ? new Map() : await orders.of(orderIds);
    const profiles = await store.profiles(read.map(({ recipient }) => recipient));
    const { market } = settings;
    const drafts = read.flatMap((each, index) => {
      const { wishes, deviceIds } = profiles[index]!;
      const order = each.orderId === null ? null : (known.get(each.orderId) ?? null);
      const isLate = clock.now() - each.event.at > PROMPT_MS;
      if (isLate && isOvertaken(each.kind, order?.status)) return [];
      return draftsOf(each, { wishes: wishes ?? DEFAULT_WISHES, deviceIds, order, market });
    });
    counts.planned += await store.plan(
      drafts,
      events.map(({ id }) => id),
    );
    return events.length;
  }

  const freeLanes = (channel: NotificationChannel): number => settings.atOnce - (lanes.get(channel) ?? 0);

  /** Takes what is due, as long as there are lanes for it: what waits in memory would outlive its lease. */
  async function takeDue(): Promise<void> {
    while (!stopped) {
      const open = NOTIFICATION_CHANNELS.filter((channel) => freeLanes(channel) > 0);
      isFull = open.length < NOTIFICATION_CHANNELS.length;
      if (open.length === 0) return;
      const most = Math.min(...open.map(freeLanes));
      const taken = await store.take(clock.now(), settings.leaseMs, most, open);
      for (const message of taken) send(message);
      if (taken.length < most) return;
    }
  }

  function fill(): Promise<void> {
    filling ??= takeDue().finally(() => {
      filling = null;
    });
    return filling;
  }

  function send(message: Taken): void {
    const { channel } = message;
    lanes.set(channel, (lanes.get(channel) ?? 0) + 1);
    const sending = deliver(message).finally(() => {
      lanes.set(channel, (lanes.get(channel) ?? 1) - 1);
      underWay.delete(sending);
    });
    underWay.add(sending);
    sending.then(() => (isFull ? fill() : undefined)).catch(failed);
  }

  function failed(error: unknown): void {
    if (counts.failures++ === 0)
      log.warn({ error: String(error) }, "Nobody can be notified now; what is to be told waits");
  }

  async function deliver(message: Taken): Promise<void> {
    const outcome = await attempt(message);
    if (outcome.state === "waiting") counts.retried++;
    else counts[outcome.state]++;
    if (outcome.state === "dead") {
      const { notificationId, kind, channel } = message;
      log.warn({ notificationId, kind, channel, reason: outcome.reason }, "A notification was given up");
    }
    await store.settle(message.notificationId, message.attempts, outcome, clock.now());
  }

  async function attempt(message: Taken): Promise<Outcome> {
    if (clock.now() >= message.expiresAt) return { state: "dropped", reason: "it came too late to matter" };
    try {
      if (message.attempts > 1 && (await isUntrueBy(message)))
        return { state: "dropped", reason: "what happened since has overtaken it" };
      const to = await targets(message);
      if (to.size === 0) {
        // A customer who left no address wants to hear nothing; a kitchen that cannot be reached is for a person to mend.
        return { state: message.role === "customer" ? "dropped" : "dead", reason: NO_ADDRESS };
      }
      const { locale } = (await store.wishes(message)) ?? DEFAULT_WISHES;
      const text = textOf(message.kind, locale, message.facts);
      return await tell(
        message,
        to,
        (address, id): Message => ({
          id,
          channel: message.channel,
          to: address,
          locale,
          ...text,
          subject: message.subject,
        }),
      );
    } catch (error) {
      return again(message, wordsOf(error));
    }
  }

  /** A first try follows its event at once, or a person asked for it. */
  async function isUntrueBy({ kind, subject }: Taken): Promise<boolean> {
    if (!subject.startsWith(ORDER)) return false;
    const orderId = subject.slice(ORDER.length);
    return isOvertaken(kind, (await orders.of([orderId])).get(orderId)?.status);
  }

  /**
   * To each address under an id of its own, all at once: they share one lease, and the silence of one is not the others'.
   * Who cannot be reached now is tried again, and so are those who were told, under the ids that their provider knows.
   * Refused by one or never answered for, and taken by another: told.
   */
  async function tell(
    message: Taken,
    to: ReadonlySet<string>,
    compose: (address: string, id: string) => Message,
  ): Promise<Outcome> {
    const sent = await Promise.allSettled(
      [...to].map(async (address) => {
        const id = `${message.notificationId}/${partOf(message.notificationId, address)}`;
        await providers[message.channel].send(compose(address, id));
      }),
    );
    const isTold = sent.some(({ status }) => status === "fulfilled");
    const reasons = sent.flatMap((each): unknown[] => (each.status === "rejected" ? [each.reason] : []));
    const passing = reasons.find((reason) => !(reason instanceof NotificationRefused));
    if (passing !== undefined) {
      const outcome = again(message, wordsOf(passing));
      return outcome.state === "dead" && isTold ? { state: "sent" } : outcome;
    }
    return isTold ? { state: "sent" } : { state: "dead", reason: `refused: ${wordsOf(reasons.at(-1))}`.slice(0, 300) };
  }

  function again(message: Taken, reason: string): Outcome {
    if (message.attempts >= settings.maxAttempts) return { state: "dead", reason: reason.slice(0, 300) };
    const pauseMs = Math.min(settings.retryMostMs, settings.retryMs * 2 ** Math.min(message.attempts - 1, 20));
    // Half of it is chance, so that what failed together does not come back together.
    const nextAt = Math.ceil(clock.now() + pauseMs * (0.5 + random.next() / 2));
    return { state: "waiting", nextAt, reason: reason.slice(0, 300) };
  }

  async function targets(message: Taken): Promise<ReadonlySet<string>> {
    if (message.channel === "push") {
      const devices = await store.devices(message);
      const wanted = devices.filter(({ deviceId }) => message.deviceIds?.includes(deviceId) ?? true);
      // A tablet that never gave a token is no reason to leave the others in silence.
      const chosen = wanted.length > 0 ? wanted : devices;
      return new Set(chosen.map(({ token }) => token));
    }
    const people = await addresses.addressesOf(message as Recipient);
    return new Set(people.flatMap(({ email, phone }) => (message.channel === "email" ? email : phone) ?? []));
  }

  async function begin(): Promise<void> {
    while (!stopped && (await planOnce()) > 0);
    await fill();
  }

  async function work(): Promise<void> {
    await begin();
    while (underWay.size > 0) {
      await Promise.race(underWay);
      await fill();
    }
  }

  const run = (): void => {
    if (busy !== null || stopped) return;
    busy = begin()
      .then(() => {
        counts.failures = 0;
      }, failed)
      .finally(() => {
        busy = null;
      });
  };
  /** What a minute settles may be more than one part. */
  const old = createParts(clock, FORGET);
  const forget = (): Promise<void> =>
    old.takeAll(
      (rows) => store.forget(clock.now() - settings.keepMs, rows),
      () => !stopped,
    );

  const cancels: readonly Cancel[] = [
    clock.every(settings.everyMs, run),
    clock.every(FORGET_EVERY_MS, () => {
      forgetting ??= forget()
        .catch(() => undefined)
        .finally(() => {
          forgetting = null;
        });
    }),
  ];

  return {
    work,
    stats: () => ({ ...counts }),
    async stop() {
      stopped = true;
      for (const cancel of cancels) cancel();
      await busy;
      await filling?.catch(() => undefined);
      await Promise.allSettled(underWay);
      await forgetting;
    },
  };
}
