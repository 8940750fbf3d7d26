/**
 * A provider over HTTP: each message is a signed POST to an address of yours, which has it told by whomever you pay for
 * that. Owns the time limit of one call; repeats are the notifier's. `Idempotency-Key` is the message's id.
 *
 * 2xx: taken. 408, 425, 429 and 5xx, or no answer: tried again. Anything else: refused for good.
 */
import type { Clock } from "../../lib/clock.js";
import { endpointOf } from "../../lib/endpoint.js";
import { signBody } from "../../lib/signature.js";
import { type NotificationProvider, NotificationRefused, NotificationUnavailable } from "./ports.js";

export interface WebhookSettings {
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs: number;
}

const PASSING = new Set([408, 425, 429]);

export function webhookProvider(settings: WebhookSettings, clock: Clock): NotificationProvider {
  const { secret, timeoutMs } = settings;
  const { url, headers } = endpointOf(settings.url);
  return {
    async send(message) {
      const body = Buffer.from(JSON.stringify(message));
      const abort = new AbortController();
      const cancel = clock.after(timeoutMs, () => abort.abort());
      let answer: Response;
      try {
        answer = await fetch(url, {
          method: "POST",
          body,
          signal: abort.signal,
          redirect: "error",
          headers: {
            ...headers,
            "content-type": "application/json",
            "idempotency-key": Buffer.from(message.id).toString("base64url"),
            "swift-signature": signBody(secret, clock.now(), body),
          },
        });
        // Read to the end, so that the connection can be used again.
        await answer.arrayBuffer();
      } catch (error) {
        throw new NotificationUnavailable(`no answer: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        cancel();
      }
      if (answer.ok) return;
      if (PASSING.has(answer.status) || answer.status >= 500) {
        throw new NotificationUnavailable(`answered ${answer.status}`);
      }
      throw new NotificationRefused(`answered ${answer.status}`);
    },
  };
}
