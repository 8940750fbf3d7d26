import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { silentLog } from "../../src/lib/log.js";
import { createPostgresActorStore } from "../../src/store/postgres/mod.js";
import { missingProgram } from "../../test/support/servers.js";
import { startLocalCluster } from "./mod.js";
import { ClusterProcess } from "./process.js";
import { startWarden } from "./warden/client.js";

const clock = systemClock();

function ownDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "swift-eats-servers-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Sends some lines and resolves with everything that comes back, as soon as it matches. */
function talk(url: string, words: string, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(words));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`the server hung up after: ${text}`)));
    socket.on("data", (bytes) => {
      text += bytes.toString();
      if (!wanted.test(text)) return;
      resolve(text);
      socket.destroy();
    });
  });
}

/** One question to JetStream, in NATS's own words. */
function askJetStream(url: string, subject: string, body: object | null): Promise<string> {
  const text = body === null ? "" : JSON.stringify(body);
  const words = `CONNECT {"verbose":false}\r\nSUB inbox 1\r\nPUB ${subject} inbox ${text.length}\r\n${text}\r\n`;
  return talk(url, words, /MSG inbox[^\r]*\r\n[^\r]*\r\n/);
}

const absent = missingProgram("nats") || missingProgram("redis");

t.test(
  "servers that are killed come back on their ports with what they had on disk, and leave nothing behind",
  { skip: absent },
  async (t) => {
    const cluster = await startLocalCluster({ nodes: 0 });
    t.teardown(() => cluster.stop());
    const { database, nats, redis, payment, dataDir } = cluster;
    const first = [database, nats, redis, payment].map(({ pid }) => pid);
    const store = createPostgresActorStore({ connectionString: database.url, clock, log: silentLog });
    const claims = await store.claimShards("node-x", [7]);
    await store.close();
    const epoch = claims.get(7)!;
    t.match(await askJetStream(nats.url, "$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s.*"] }), '"config"');
    t.match(await askJetStream(nats.url, "s.1", { meal: "soup" }), '"seq":1');
    t.match(await talk(redis.url, "SET soup hot\r\n", /\r\n/), "+OK");

    await Promise.all([database.kill(), nats.kill(), redis.kill(), payment.kill()]);
    for (const server of [database, nats, redis, payment]) {
      t.equal(server.pid, null);
      await t.rejects(talk(server.url, "", /./), { code: "ECONNREFUSED" });
    }
    await Promise.all([database.start(), nats.start(), redis.start(), payment.start()]);
    await database.start();
    const second = [database, nats, redis, payment].map(({ pid }) => pid);
    t.ok(second.every((pid, index) => pid !== null && pid !== first[index]));

    const again = createPostgresActorStore({ connectionString: database.url, clock, log: silentLog });
    t.equal((await again.claimShards("node-y", [7])).get(7), epoch + 1, "PostgreSQL kept its rows");
    await again.close();
    t.match(await askJetStream(nats.url, "$JS.API.STREAM.INFO.S", null), '"messages":1', "JetStream kept its stream");
    t.match(await talk(redis.url, "GET soup\r\n", /\r\n/), "$-1", "Redis begins anew");

    await nats.stop();
    await nats.start();
    t.match(await askJetStream(nats.url, "$JS.API.STREAM.INFO.S", null), '"messages":1');
    await cluster.stop();
    for (const pid of second) t.throws(() => process.kill(pid!, 0), { code: "ESRCH" });
    t.notOk(existsSync(dataDir), "the temporary data is removed");
    await cluster.stop();
  },
);

t.test(
  "a given directory is kept, with the secrets, and belongs to one cluster at a time",
  { skip: absent },
  async (t) => {
    const dataDir = ownDirectory(t);
    const one = await startLocalCluster({ nodes: 0, dataDir });
    t.teardown(() => one.stop());
    await t.rejects(startLocalCluster({ nodes: 0, dataDir }), { name: "DataDirectoryInUse" });
    const { operatorSecret } = one;
    t.match(await talk(one.redis.url, "PING\r\n", /\r\n/), "+PONG", "the first is not disturbed");
    await one.stop();
    t.ok(existsSync(one.operatorSecretFile));
    const two = await startLocalCluster({ nodes: 0, dataDir });
    t.teardown(() => two.stop());
    t.equal(two.operatorSecret, operatorSecret);
    await two.stop();
  },
);

t.test("a process that cannot start says why, one that hangs is ended the hard way", async (t) => {
  const warden = startWarden();
  t.teardown(() => warden.stop());
  const directory = ownDirectory(t);
  const run = (script: string): ClusterProcess =>
    new ClusterProcess({
      name: "the kettle",
      warden,
      clock,
      order: {
        words: [process.execPath, "-e", script],
        directory,
        environment: {},
        logFile: join(directory, "kettle.log"),
        lastSignal: "SIGKILL",
      },
      ready: /it boils/,
      endSignal: "SIGTERM",
    });
  await t.rejects(run("console.error('no water'); process.exit(3)").start(), {
    name: "CannotStartCluster",
    message: /the kettle did not start.*\nno water/,
  });
  const absentProgram = new ClusterProcess({
    name: "nobody",
    warden,
    clock,
    order: {
      words: [join(directory, "no-such-program")],
      directory,
      environment: {},
      logFile: join(directory, "nobody.log"),
      lastSignal: "SIGKILL",
    },
    ready: /it boils/,
    endSignal: "SIGTERM",
  });
  await t.rejects(absentProgram.start(), { message: /nobody did not start|ENOENT/ });
  const stubborn = run("process.on('SIGTERM', () => {}); console.log('it boils'); setInterval(() => {}, 1000)");
  await stubborn.start();
  t.strictSame(await stubborn.end(50), { status: null, signal: "SIGKILL" });
  t.equal(stubborn.pid, null);
  t.equal(await stubborn.end(), null, "it has ended already");
});
