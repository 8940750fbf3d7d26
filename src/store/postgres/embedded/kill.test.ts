import { type ChildProcess, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import t from "tap";
import { sleep, systemClock } from "../../../lib/clock.js";
import { recordingLog, silentLog } from "../../../lib/log.js";
import { batch, loadOne, write } from "../../contract/batches.js";
import { migrate } from "../mod.js";
import { newDirectory, openStore, startHere, usedDirectory } from "./fixtures/servers.js";
import { startEmbeddedPostgres } from "./mod.js";
import { exists, waitUntilGone } from "./processes.js";

const clock = systemClock();
const root = t;
const PATIENCE_MS = 60_000;
const program = fileURLToPath(new URL("./fixtures/node-program.js", import.meta.url));

interface Victim {
  readonly child: ChildProcess;
  readonly serverPid: number;
  readonly epoch: number;
  readonly committed: string[];
}

/** Starts the fixture program and resolves when it commits. */
async function startVictim(dataDir: string): Promise<Victim> {
  const child = spawn(process.execPath, ["--enable-source-maps", program, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const committed: string[] = [];
  let rest = "";
  let up: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [what, ...words] = line.split(" ");
      if (what === "up") up = words;
      else committed.push(words[0]!);
    }
  });
  while (committed.length < 20) {
    if (child.exitCode !== null) throw new Error(`The program ended: ${child.exitCode}`);
    await sleep(clock, 10);
  }
  return { child, serverPid: Number(up[0]), epoch: Number(up[1]), committed };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

t.test(
  "R-OPS-1: kill -9 of the node, twice: each restart takes its data over at once, nothing acknowledged is lost",
  async (t) => {
    const dataDir = await newDirectory(t);
    const acknowledged: string[] = [];
    for (let round = 1; round <= 2; round++) {
      const victim = await startVictim(dataDir);
      t.equal(victim.epoch, round, "the new node owns the shard under a new epoch");
      await kill(victim.child);
      acknowledged.push(...victim.committed);
    }
    const server = await startHere(t, dataDir);
    const store = openStore(t, server);
    const loaded = await store.load(
      acknowledged.map((key) => ({ kind: "order", key, shard: 0 })),
      0,
    );
    t.ok(acknowledged.length >= 40);
    t.strictSame(
      acknowledged.filter((_, i) => loaded[i]?.snapshot?.seq !== 1),
      [],
    );
    t.strictSame((await readdir(dataDir)).filter((name) => name.startsWith("node-")).length, 1, "one lock, ours");
  },
);

t.test(
  "R-OPS-1: a second node on the same directory is refused while the first lives, and the first notices nothing",
  async (t) => {
    const dataDir = await usedDirectory(root, t);
    const victim = await startVictim(dataDir);
    t.teardown(async () => {
      await kill(victim.child);
      // It ends after its node, and writes while it does: only then may its directory go.
      await waitUntilGone(clock, victim.serverPid, PATIENCE_MS);
    });
    await t.rejects(startEmbeddedPostgres({ dataDir, log: silentLog, clock }), {
      name: "DataDirectoryInUse",
      message: new RegExp(`another running node \\(process ${victim.child.pid}\\)`),
    });
    const before = victim.committed.length;
    while (victim.committed.length < before + 10) await sleep(clock, 10);
    t.ok(exists(victim.serverPid));
  },
);

t.test(
  "R-OPS-1: kill -9 of the server: it is started again, the store reconnects, committed data is there",
  async (t) => {
    const log = recordingLog();
    const server = await startHere(t, await usedDirectory(root, t), log);
    await migrate(server.connectionString);
    const store = openStore(t, server);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("before")]));
    let restarts = 0;
    server.onRestart(() => restarts++);
    server.onExit(() => t.fail("it is not gone for good"));

    for (let round = 1; round <= 2; round++) {
      const pid = server.pid()!;
      process.kill(pid, "SIGKILL");
      // A caller that tries until it is answered, as the committer does.
      for (;;) {
        const flushing = store.flush(batch(epochs, [write(`after-${round}`)]));
        const answer = await flushing.catch((error: Error) => error);
        if (!(answer instanceof Error)) {
          t.notMatch(answer, { failures: [{ failure: { reason: "claim_taken" } }] });
          break;
        }
        t.ok(["StoreUnavailable", "OutcomeUnknown"].includes(answer.name), answer.name);
        await sleep(clock, 50);
      }
      while (restarts < round) await sleep(clock, 10);
      t.not(server.pid(), pid);
    }
    t.equal((await loadOne(store, "before")).snapshot?.seq, 1);
    t.equal((await loadOne(store, "after-2")).snapshot?.seq, 1);
    t.ok(log.lines.some(({ level, message }) => level === "error" && message.startsWith("The database server died")));
  },
);
