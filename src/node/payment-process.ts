/** Who takes the money: a configured provider, or the sandbox, started beside the node and started again when it dies. */
import { join } from "node:path";
import type { Config } from "../../config/mod.js";
import { type Cancel, type Clock, sleep } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { type SandboxProcess, startSandboxProcess } from "../services/payments/mod.js";

export interface PaymentProcess {
  readonly url: string;
  /** The sandbox's own book, or null with a real provider. */
  readonly ledgerFile: string | null;
  /** Has the sandbox tell by itself what it does, now and after every restart. A real provider is told elsewhere. */
  announce(webhookUrl: string, secret: string): Promise<void>;
  stop(): Promise<void>;
}

const RESTART_PAUSE_MS = 500;

export async function openPayment(config: Config, clock: Clock, log: Log): Promise<PaymentProcess> {
  if (config.payment.url !== null) {
    return {
      url: config.payment.url,
      ledgerFile: null,
      announce: async () => undefined,
      stop: async () => undefined,
    };
  }
  const ledgerFile = join(config.node.dataDir, "payment-sandbox.jsonl");
  let stopped = false;
  let current: SandboxProcess = await startSandboxProcess(ledgerFile);
  // A restarted sandbox takes the same port: the actors' provider keeps its address.
  const port = new URL(current.url).port;
  let restarting: Cancel | null = null;
  let told: { readonly url: string; readonly secret: string } | null = null;

  async function tell(): Promise<void> {
    if (told === null) return;
    try {
      await fetch(`${current.url}/webhooks`, { method: "POST", body: JSON.stringify(told) });
    } catch (cause) {
      // Orders do not depend on webhooks; the next sandbox is told again.
      log.warn(
        { part: "payment-sandbox", error: cause },
        "The payment sandbox could not be told where to send webhooks",
      );
    }
  }

  function watch(sandbox: SandboxProcess): void {
    sandbox.process.once("exit", (code, signal) => {
      if (stopped) return;
      log.error({ part: "payment-sandbox", code, signal }, "The payment sandbox died; it is started again");
      restarting = clock.after(RESTART_PAUSE_MS, () => void restart());
    });
  }
  async function restart(): Promise<void> {
    restarting = null;
    for (;;) {
      if (stopped) return;
      try {
        const next = await startSandboxProcess(ledgerFile, ["--port", port]);
        if (stopped) return await next.stop();
        current = next;
        watch(next);
        await tell();
        return;
      } catch (cause) {
        log.error({ part: "payment-sandbox", error: cause }, "The payment sandbox does not start; trying again");
        await sleep(clock, RESTART_PAUSE_MS);
      }
    }
  }
  watch(current);
  return {
    url: current.url,
    ledgerFile,
    announce(webhookUrl, secret) {
      told = { url: webhookUrl, secret };
      return tell();
    },
    async stop() {
      stopped = true;
      restarting?.();
      await current.stop();
    },
  };
}
