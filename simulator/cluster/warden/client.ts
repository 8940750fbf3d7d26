/** The warden as the program sees it that runs the cluster. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromWarden, ProxyStats, SpawnOrder, ToWarden, WardenAnswer, WardenOrder } from "./protocol.js";

export interface Exit {
  readonly status: number | null;
  readonly signal: string | null;
}

export interface Spawned {
  readonly pid: number;
  /** Resolves when it has ended. Never rejects. */
  readonly exit: Promise<Exit>;
}

export interface Warden {
  readonly pid: number;
  /** Rejects when the order cannot be carried out, or the warden is gone. */
  tell(order: WardenOrder): Promise<WardenAnswer>;
  /** Resolves when the process runs. */
  spawn(order: SpawnOrder): Promise<Spawned>;
  statsOf(proxy: string): ProxyStats;
  /** Ends what still runs, and the warden. */
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("./main.js", import.meta.url));
const NO_STATS: ProxyStats = { connections: 0, bytesUp: 0, bytesDown: 0 };

export function startWarden(): Warden {
  // A group of its own: the terminal's Ctrl-C must not end it before the cluster has ended in order.
  const child: ChildProcess = fork(SCRIPT, [], { detached: true, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const asked = new Map<number, { resolve: (answer: WardenAnswer) => void; reject: (error: Error) => void }>();
  const exits = new Map<number, (exit: Exit) => void>();
  const spawned = new Map<number, Promise<Exit>>();
  let stats: Readonly<Record<string, ProxyStats>> = {};
  let asks = 0;
  let gone = false;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));

  child.on("message", (message: FromWarden) => {
    if ("stats" in message) {
      stats = message.stats;
    } else if ("exit" in message) {
      const { exit: pid, ...exit } = message;
      exits.get(pid)?.(exit);
      exits.delete(pid);
    } else {
      const ask = asked.get(message.answer);
      asked.delete(message.answer);
      if ("error" in message) {
        ask?.reject(new Error(message.error));
        return;
      }
      const { pid } = message.result;
      // Before the news of its end, which follows on the same channel.
      if (pid !== undefined) spawned.set(pid, new Promise<Exit>((resolve) => exits.set(pid, resolve)));
      ask?.resolve(message.result);
    }
  });
  const lost = (): void => {
    gone = true;
    for (const { reject } of asked.values()) reject(new Error("The cluster's warden has ended."));
    asked.clear();
    // It ends its children with it, or the kernel does.
    for (const settle of exits.values()) settle({ status: null, signal: "SIGKILL" });
    exits.clear();
  };
  child.once("disconnect", lost).once("error", lost);

  function tell(order: WardenOrder): Promise<WardenAnswer> {
    return new Promise((resolve, reject) => {
      if (gone) {
        reject(new Error("The cluster's warden has ended."));
        return;
      }
      const ask = ++asks;
      asked.set(ask, { resolve, reject });
      const message: ToWarden = { ...order, ask };
      child.send(message, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  return {
    pid: child.pid ?? 0,
    tell,
    async spawn(order) {
      const { pid } = await tell({ do: "spawn", order });
      const exit = pid === undefined ? undefined : spawned.get(pid);
      if (pid === undefined || exit === undefined)
        throw new Error("The warden started a process and did not say which.");
      spawned.delete(pid);
      return { pid, exit };
    },
    statsOf: (proxy) => stats[proxy] ?? NO_STATS,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
