/** Telling people outside the apps: one notifier for each node, with the providers that it was given or the sandbox. */
import { hkdfSync } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { ActorStore } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Random } from "../lib/random.js";
import type { OrderTracking } from "../protocol/mod.js";
import { createContacts } from "../services/accounts/mod.js";
import {
  createNotifier,
  type Message,
  type NotificationProvider,
  type Notifier,
  type OrderFacts,
  type Providers,
  sandboxProvider,
  webhookProvider,
} from "../services/notifications/mod.js";
import { createPostgresAccountStore, createPostgresNotificationStore } from "../store/postgres/mod.js";
import type { ThreadPlan } from "./plan.js";

/** What the sandbox was asked to tell, one message a line. */
export const SANDBOX_FILE = "notifications-sandbox.jsonl";

export function startNotifier({
  plan,
  index,
  clock,
  random,
  log,
}: {
  readonly plan: ThreadPlan;
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): Pick<Notifier, "stop" | "stats"> {
  const { config, connectionString, secrets } = plan;
  const store = createPostgresNotificationStore({ connectionString, clock, log });
  const accounts = createPostgresAccountStore({ connectionString, clock, log });
  const sandbox = openSandbox(join(config.node.dataDir, SANDBOX_FILE), log);
  const notifier = createNotifier({
    store,
    providers: providersOf(plan, sandbox.provider, clock),
    addresses: createContacts({ store: accounts, masterSecrets: secrets.masterSecrets, random }),
    orders: orderFacts(index),
    clock,
    random,
    log,
    settings: {
      retryMs: config.notifications.retryMs,
      maxAttempts: config.notifications.maxAttempts,
      // All addresses of a message are told at once, each within the time limit; what is read before takes its time, too.
      leaseMs: 4 * config.notifications.timeoutMs,
      market: config.domain.eta,
    },
  });
  return {
    stats: () => notifier.stats(),
    async stop() {
      await notifier.stop();
      await sandbox.written();
      await Promise.all([store.close(), accounts.close()]);
    },
  };
}

function providersOf({ config, secrets }: ThreadPlan, sandbox: NotificationProvider, clock: Clock): Providers {
  const { pushUrl, smsUrl, emailUrl, callUrl, timeoutMs } = config.notifications;
  const secret =
    config.notifications.secret ??
    Buffer.from(hkdfSync("sha256", secrets.orderIdSecret, "", "swift-eats notifications", 32)).toString("hex");
  const provider = (url: string | null): NotificationProvider =>
    url === null ? sandbox : webhookProvider({ url, secret, timeoutMs }, clock);
  return { push: provider(pushUrl), sms: provider(smsUrl), email: provider(emailUrl), call: provider(callUrl) };
}

/** More than this of an earlier run is put aside: only the newest messages can come again. */
const SANDBOX_BYTES = 4 * 1024 * 1024;

function toldBefore(path: string): readonly Message[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  if (text.length > SANDBOX_BYTES) renameSync(path, `${path}.1`);
  // A line that a crash has cut off was told to nobody.
  return text.split("\n").flatMap((line): Message[] => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Message];
    } catch {
      return [];
    }
  });
}

/** No place for people's numbers and addresses: their ends tell one from another. */
function masked(message: Message): Message {
  return message.channel === "push" ? message : { ...message, to: `…${message.to.slice(-4)}` };
}

function openSandbox(path: string, log: Log) {
  let written: Promise<void> = Promise.resolve();
  const before = toldBefore(path);
  const provider = sandboxProvider((message) => {
    written = written
      .then(() => appendFile(path, `${JSON.stringify(masked(message))}\n`, { mode: 0o600 }))
      .catch((error: unknown) =>
        log.warn({ part: "notifications", error }, "The sandbox could not write a message down"),
      );
  }, before);
  return { provider, written: () => written };
}

function orderFacts(index: Pick<ActorStore, "queryIndex">): OrderFacts {
  return {
    async of(orderIds) {
      const rows = await index.queryIndex({ kind: "order", keys: [...orderIds], limit: orderIds.length });
      return new Map(
        rows.map(({ key, view }) => {
          const { restaurant, eta, status } = (view as unknown as OrderTracking).view;
          return [
            key,
            { restaurant: restaurant.name, status, ...(eta === undefined ? {} : { arrivesAt: eta.expected }) },
          ] as const;
        }),
      );
    },
  };
}
