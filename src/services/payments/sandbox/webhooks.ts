/**
 * The sandbox tells by itself what it has done: as late, as often and as seldom as it is told to. What is told is on disk
 * already. What has not been told when the sandbox ends is never told: nobody may rely on it.
 */
import { type Clock, sleep } from "../../../lib/clock.js";
import { randomInteger, seededRandom } from "../../../lib/random.js";
import { signBody } from "../../../lib/signature.js";
import type { LedgerEntry } from "./book.js";

export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

export interface WebhookSettings {
  readonly seed: number;
  readonly webhook: WebhookTarget | null;
  readonly webhookLostRate: number;
  readonly webhookDuplicateRate: number;
  readonly webhookLateRate: number;
  readonly webhookLateMs: number;
}

export interface Webhooks {
  /** From now on, told here. */
  aim(target: WebhookTarget): void;
  tell(entry: LedgerEntry): void;
  close(): void;
}

/** On their way at once; beyond it webhooks are lost, as with anybody who is overrun. */
const MOST_UNDER_WAY = 2_000;
const TRIES = 6;
const FIRST_PAUSE_MS = 200;
const PATIENCE_MS = 5_000;

export function createWebhooks(settings: WebhookSettings, clock: Clock): Webhooks {
  // Draws of its own, so that webhooks do not shift what happens to the operations.
  const random = seededRandom(settings.seed ^ 0x77656268);
  const ending = new AbortController();
  let target = settings.webhook;
  let underWay = 0;

  async function send({ number, operation, outcome }: LedgerEntry, { url, secret }: WebhookTarget): Promise<void> {
    const body = Buffer.from(
      JSON.stringify({ id: `${number}`, at: clock.now(), orderId: operation.orderId, key: operation.key, ...outcome }),
    );
    for (let attempt = 0; attempt < TRIES && !ending.signal.aborted; attempt++) {
      if (attempt > 0) await sleep(clock, FIRST_PAUSE_MS * 2 ** attempt);
      try {
        const headers = {
          "content-type": "application/json",
          "swift-eats-signature": signBody(secret, clock.now(), body),
        };
        const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(PATIENCE_MS)]);
        const answer = await fetch(url, { method: "POST", headers, body, signal });
        await answer.arrayBuffer();
        if (answer.ok) return;
      } catch {
        // Nobody there, or no answer: again.
      }
    }
  }

  return {
    aim(next) {
      target = next;
    },
    tell(entry) {
      const { webhookLostRate, webhookDuplicateRate, webhookLateRate, webhookLateMs } = settings;
      const lost = random.next() < webhookLostRate;
      const times = random.next() < webhookDuplicateRate ? 2 : 1;
      const lateMs = random.next() < webhookLateRate ? randomInteger(random, webhookLateMs) : 0;
      const to = target;
      if (to === null || lost) return;
      for (let copy = 0; copy < times; copy++) {
        if (underWay >= MOST_UNDER_WAY) return;
        underWay++;
        void sleep(clock, copy === 0 ? lateMs : lateMs + FIRST_PAUSE_MS)
          .then(() => send(entry, to))
          .finally(() => underWay--);
      }
    },
    close: () => ending.abort(),
  };
}
