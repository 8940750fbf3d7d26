/** Starts the sandbox as a child process and waits for its address. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface SandboxProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Asks it to end and waits. */
  stop(): Promise<void>;
}

/** `args` as on the command line of `main.ts`, beside `--ledger`. Rejects when it ends before it listens. */
export function startSandboxProcess(ledgerPath: string, args: readonly string[] = []): Promise<SandboxProcess> {
  const script = fileURLToPath(new URL("./main.js", import.meta.url));
  const child = spawn(process.execPath, [script, "--ledger", ledgerPath, "--with-parent", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    // A group of its own: Ctrl-C in the terminal reaches the node, which still needs the sandbox to finish its writes.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The payment sandbox ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).once("line", (line) => {
      const { url } = JSON.parse(line) as { url: string };
      resolve({
        url,
        process: child,
        async stop() {
          child.kill("SIGTERM");
          await ended;
        },
      });
    });
  });
}
