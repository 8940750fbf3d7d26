/**
 * The sandbox tells by itself what it has done: as late, as often and as seldom as it is told to. What is told is on disk
 * already. What has not been told when the sandbox ends is never told: nobody may rely on it.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
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
const MOST_CONNECTIONS = 64;

export function createWebhooks(settings: WebhookSettings, clock: Clock): Webhooks {
  // Draws of its own, so that webhooks do not shift what happens to the operations.
  const random = seededRandom(settings.seed ^ 0x77656268);
  // Node's own client over connections that are kept: `fetch` takes several times as long for each.
  const kept = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  const plain = new HttpAgent(kept);
  const secure = new HttpsAgent(kept);
  let ended = false;
  let target = settings.webhook;
  let underWay = 0;

  /** True when it was taken. Rejects when nobody is there, or there is no whole answer in time. */
  function deliver(url: string, headers: Readonly<Record<string, string | number>>, body: Buffer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const isSecure = url.startsWith("https:");
      const options = { method: "POST", headers, agent: isSecure ? secure : plain };
      const asked = (isSecure ? httpsRequest : httpRequest)(url, options, (answer) => {
        const { statusCode = 0 } = answer;
        answer.on("end", () => {
          cancel();
          resolve(statusCode >= 200 && statusCode < 300);
        });
        answer.on("error", fail);
        answer.resume();
      });
      const cancel = clock.after(PATIENCE_MS, () => fail(new Error(`no answer in ${PATIENCE_MS} ms`)));
      function fail(error: unknown): void {
        cancel();
        reject(error);
        asked.destroy();
      }
      asked.on("error", fail);
      asked.end(body);
    });
  }

  async function send({ number, operation, outcome }: LedgerEntry, { url, secret }: WebhookTarget): Promise<void> {
    const body = Buffer.from(
      JSON.stringify({ id: `${number}`, at: clock.now(), orderId: operation.orderId, key: operation.key, ...outcome }),
    );
    for (let attempt = 0; attempt < TRIES && !ended; attempt++) {
      if (attempt > 0) await sleep(clock, FIRST_PAUSE_MS * 2 ** attempt);
      try {
        const headers = {
          "content-type": "application/json",
          "content-length": body.length,
          "swift-eats-signature": signBody(secret, clock.now(), body),
        };
        if (await deliver(url, headers, body)) return;
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
    close() {
      ended = true;
      plain.destroy();
      secure.destroy();
    },
  };
}
