import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import t from "tap";
import { StoreUnavailable } from "../../../actors/runtime/ports.js";
import { type Clock, sleep, systemClock } from "../../../lib/clock.js";
import { recordingLog, silentLog } from "../../../lib/log.js";
import { migrate } from "../mod.js";
import { findBinaries } from "./binaries.js";
import { newDirectory, openStore, startHere, usedDirectory } from "./fixtures/servers.js";
import { startEmbeddedPostgres } from "./mod.js";
import { exists, waitUntilGone } from "./processes.js";
import { decideRunAs } from "./run-as.js";
import { start } from "./server.js";

const clock = systemClock();
const root = t;

t.test("R-OPS-1: stopping ends the server, frees the directory, and does it once", async (t) => {
  const dataDir = await usedDirectory(root, t);
  const server = await startHere(t, dataDir);
  server.onExit(() => t.fail("a stop is no loss"));
  const pid = server.pid()!;
  await Promise.all([server.stop(), server.stop()]);
  t.notOk(exists(pid));
  t.strictSame(
    (await readdir(dataDir)).filter((name) => name.startsWith("node-")),
    [],
  );
  await t.rejects(openStore(t, server).claimShards("a", [0]), StoreUnavailable);
  const again = await startHere(t, dataDir);
  t.ok(exists(again.pid()!));
});

t.test("R-OPS-1: a server that an earlier node left running is ended before another starts", async (t) => {
  const dataDir = await usedDirectory(root, t);
  const first = await startHere(t, dataDir);
  await migrate(first.connectionString);
  await first.stop();
  const binaries = findBinaries();
  const runAs = decideRunAs({ dataDir, paths: [binaries.postgres, dataDir] });
  const leftover = await start({
    binaries,
    runAs,
    pgData: path.join(dataDir, "postgres"),
    socketDir: path.join(dataDir, "run"),
    logFile: path.join(dataDir, "postgres.log"),
    clock,
    log: silentLog,
  });
  const log = recordingLog();
  const server = await startHere(t, dataDir, log);
  t.notOk(exists(leftover.pid!));
  t.ok(log.lines.some(({ message }) => message.startsWith("An earlier node left its database server running")));
  t.strictSame([...(await openStore(t, server).claimShards("a", [0]))], [[0, 1]]);
});

t.test("R-OPS-1: it runs below a private directory, at the end of a path too long for a socket", async (t) => {
  const folder = await newDirectory(t);
  const dataDir = path.join(folder, "private", "a directory with a rather long name ".repeat(3), "data");
  await mkdir(path.dirname(dataDir), { recursive: true });
  await chmod(path.join(folder, "private"), 0o700);
  const server = await startHere(t, dataDir);
  const socketDir = new URL(server.connectionString).searchParams.get("host")!;
  t.ok(socketDir.length < 100 && !socketDir.startsWith(folder));
  t.strictSame(
    await migrate(server.connectionString),
    (await readdir(new URL("../migrations", import.meta.url)))
      .filter((name) => /^\d+-.*\.js$/.test(name))
      .map((name) => name.replace(/\.js$/, ""))
      .sort(),
  );
  await server.stop();
  await rm(socketDir, { recursive: true, force: true });
});

t.test("R-CLU-6: a copy of the data starts, whoever has made it and however open it lies", async (t) => {
  const dataDir = await usedDirectory(root, t);
  const first = await startHere(t, dataDir);
  await migrate(first.connectionString);
  t.strictSame([...(await openStore(t, first).claimShards("a", [7]))], [[7, 1]]);
  await first.stop();
  const backup = path.join(await newDirectory(t), "data");
  // Without -a: what root copies is root's.
  t.equal(spawnSync("cp", ["-r", dataDir, backup]).status, 0);
  await chmod(path.join(backup, "postgres"), 0o755);
  const restored = await startHere(t, backup);
  t.strictSame([...(await openStore(t, restored).claimShards("a", [7]))], [[7, 2]], "with all that was in it");
});

t.test("R-OPS-1: what a crash leaves half done does not keep the next start from working", async (t) => {
  const dataDir = await newDirectory(t);
  await mkdir(path.join(dataDir, "postgres.new"));
  await writeFile(path.join(dataDir, "postgres.new", "PG_VERSION"), "half");
  const first = await startHere(t, dataDir);
  await first.stop();
  t.notOk((await readdir(dataDir)).includes("postgres.new"));

  // As after a power cut, when the dead server's process id has been given to another program: this one.
  const pidFile = path.join(dataDir, "postgres", "postmaster.pid");
  await writeFile(
    pidFile,
    `${process.pid}\n${path.join(dataDir, "postgres")}\n1\n5432\n${dataDir}/run\n\n\nready   \n`,
  );
  const log = recordingLog();
  const second = await startHere(t, dataDir, log);
  t.ok(exists(second.pid()!));
  t.ok(log.lines.some(({ message }) => message.includes("belongs to another process now")));
  t.equal(Number((await readFile(pidFile, "utf8")).split("\n")[0]), second.pid());
});

t.test("R-OPS-1: a server that cannot start says why, and gives the directory free", async (t) => {
  const dataDir = await usedDirectory(root, t);
  const server = await startHere(t, dataDir);
  await server.stop();
  await appendFile(path.join(dataDir, "postgres", "postgresql.conf"), "\nno_such_setting = 1\n");
  await t.rejects(startEmbeddedPostgres({ dataDir, log: silentLog, clock }), {
    name: "EmbeddedPostgresError",
    message: /no_such_setting/,
  });
  t.strictSame(
    (await readdir(dataDir)).filter((name) => name.startsWith("node-")),
    [],
  );
});

t.test("a server that dies and cannot come back is reported once", async (t) => {
  const dataDir = await usedDirectory(root, t);
  // Once it runs, time runs five hundred times faster: giving up does not take a minute, and a start takes longer to fail
  // than the window in which deaths are counted.
  let speed = 1;
  const fast: Clock = {
    ...clock,
    monotonic: () => clock.monotonic() * speed,
    after: (delayMs, run) => clock.after(delayMs / speed, run),
  };
  const server = await startHere(t, dataDir, recordingLog(), fast);
  const gone: Error[] = [];
  server.onExit((reason) => gone.push(reason));
  await appendFile(path.join(dataDir, "postgres", "postgresql.conf"), "\nno_such_setting = 1\n");
  const pid = server.pid()!;
  speed = 500;
  process.kill(pid, "SIGKILL");
  t.ok(await waitUntilGone(clock, pid, 60_000));
  while (gone.length === 0) await sleep(clock, 10);
  t.match(gone[0], { name: "EmbeddedPostgresError" });
  await sleep(clock, 50);
  t.equal(gone.length, 1);
});

t.test(
  "R-OPS-1: a server whose disk is full comes back when there is room, however long that takes",
  { skip: !existsSync("/dev/full") },
  async (t) => {
    const dataDir = await usedDirectory(root, t);
    // Nobody waits here for long.
    const impatient: Clock = { ...clock, after: (delayMs, run) => clock.after(Math.min(delayMs, 5), run) };
    const log = recordingLog();
    const server = await startHere(t, dataDir, log, impatient);
    let isGone = false;
    const settled = new Promise<void>((resolve) => {
      server.onRestart(resolve);
      server.onExit(() => {
        isGone = true;
        resolve();
      });
    });
    // What it writes there finds no room, as on a full disk.
    const written = path.join(dataDir, "postgres", "postmaster.opts");
    await rm(written);
    await symlink("/dev/full", written);
    process.kill(server.pid()!, "SIGKILL");
    const logged = () => readFile(path.join(dataDir, "postgres.log"), "utf8");
    while (!isGone && (await logged()).split("No space left").length <= 12) await sleep(clock, 10);
    await rm(written);
    await settled;
    t.notOk(isGone);
    t.ok(exists(server.pid()!));
    t.equal(log.lines.filter(({ message }) => message.startsWith("The disk has no room")).length, 1, "said once");
  },
);
