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
  stop(): Promise<void>;
}

const RESTART_PAUSE_MS = 500;

export async function openPayment(config: Config, clock: Clock, log: Log): Promise<PaymentProcess> {
  if (config.payment.url !== null) return { url: config.payment.url, ledgerFile: null, stop: async () => undefined };
  const ledgerFile = join(config.node.dataDir, "payment-sandbox.jsonl");
  let stopped = false;
  let current: SandboxProcess = await startSandboxProcess(ledgerFile);
  // A restarted sandbox takes the same port: the actors' provider keeps its address.
  const port = new URL(current.url).port;
  let restarting: Cancel | null = null;

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
    async stop() {
      stopped = true;
      restarting?.();
      await current.stop();
    },
  };
}
