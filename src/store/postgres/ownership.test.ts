import { NodeIdInUse } from "../../cluster/ports.js";
import { sleep, systemClock } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { ownershipContract } from "../contract/ownership.contract.js";
import { openDoor } from "./fixtures/door.js";
import { openSession } from "./fixtures/sessions.js";
import { testsAfter } from "./fixtures/tests-after.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresOwnershipStore } from "./mod.js";
import pg from "./pg.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();
const describe = (node: string, incarnation = "1") => ({ node, incarnation, workers: 1, url: "" });
const PLAIN = { ifSessionGone: false };

async function run(sql: string, parameters: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql, parameters);
  } finally {
    await client.end();
  }
}

/** Sessions of tests before are gone only when the server has noticed. */
async function settle(): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    while ((await client.query("SELECT FROM member_sessions_v1()")).rowCount! > 0) await sleep(clock, 2);
  } finally {
    await client.end();
  }
}

const test = testsAfter(async () => {
  await settle();
  await clear();
});

test("the Postgres ownership store keeps its contract", (t) =>
  ownershipContract(t, async (t) => {
    await settle();
    await clear();
    const actors = createPostgresActorStore({ connectionString, clock });
    t.teardown(() => actors.close());
    return {
      store: () => createPostgresOwnershipStore({ connectionString, clock, patienceMs: 300 }),
      actors,
      endSession: (node) =>
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [
          `swift-eats member ${node}`,
        ]),
      expireLease: (node) => run("UPDATE node_lease SET expires_at = clock_timestamp() WHERE node = $1", [node]),
      renewedInEarlierRun: (node) => run("UPDATE node_lease SET server = 'earlier' WHERE node = $1", [node]),
      async beLone() {
        const session = await openSession(t, connectionString);
        const { rows } = await session.query("SELECT pg_try_advisory_lock(7313904412) AS mine");
        if (rows[0].mine !== true) throw new Error("a cluster works on the database");
        return () => session.query("SELECT pg_advisory_unlock(7313904412)").then(() => undefined);
      },
    };
  }));

test("rule 4: a shard is taken only after whoever holds its row for a flush has let go", async (t) => {
  const store = createPostgresOwnershipStore({ connectionString, clock });
  t.teardown(() => store.close());
  const [a, b] = [await store.join(describe("a"), 60_000), await store.join(describe("b"), 60_000)];
  await a.take(
    [0, 1].map((shard) => ({ shard, expectedEpoch: 0 })),
    PLAIN,
  );
  const flush = await openSession(t, connectionString);
  await flush.query("BEGIN; SELECT FROM shard_owner WHERE shard = 1 FOR SHARE");
  await run("UPDATE node_lease SET expires_at = clock_timestamp() WHERE node = 'a'");
  const wanted = [0, 1].map((shard) => ({ shard, expectedEpoch: 1 }));
  t.strictSame([...(await b.take(wanted, PLAIN))], [[0, 2]], "what is free is not kept waiting");
  await t.rejects(b.take([{ shard: 1, expectedEpoch: 1 }], PLAIN), /lock timeout/, "the wait is bounded");
  t.equal((await b.renew(60_000, "active")).shards[1]?.node, "a", "and leaves nothing half done");
  await flush.query("COMMIT");
  t.strictSame([...(await b.take([{ shard: 1, expectedEpoch: 1 }], PLAIN))], [[1, 2]]);
});

test("R-CLU-5: a session without answers is given up, and the process joins in place of it", async (t) => {
  const door = await openDoor(connectionString);
  t.teardown(() => door.close());
  const log = recordingLog();
  const store = createPostgresOwnershipStore({ connectionString: door.connectionString, clock, log, answerMs: 500 });
  t.teardown(() => store.close());
  const first = await store.join(describe("a"), 60_000);
  door.loseAnswers(() => undefined);
  await t.rejects(first.renew(60_000, "active"));
  await first.lost;
  t.match(log.lines, [{ level: "warn" }]);
  door.heal();
  // The server knows nothing of the loss: its end of the first session is open.
  const direct = createPostgresOwnershipStore({ connectionString, clock, patienceMs: 300 });
  t.teardown(() => direct.close());
  await t.rejects(direct.join(describe("a", "2"), 60_000), NodeIdInUse);
  const second = await direct.join(describe("a"), 60_000);
  t.match((await second.renew(60_000, "active")).members, [{ node: "a", hasSession: true }]);
});

test("rule 4: when the server begins anew after a crash, sessions of before prove nothing", async (t) => {
  const store = createPostgresOwnershipStore({ connectionString, clock });
  t.teardown(() => store.close());
  const [a, b] = [await store.join(describe("a"), 60_000), await store.join(describe("b"), 60_000)];
  await a.take([{ shard: 0, expectedEpoch: 0 }], PLAIN);
  const before = await b.renew(60_000, "active");
  const victim = await openSession(t, connectionString);
  const { rows } = await victim.query("SELECT pg_backend_pid() AS pid");
  process.kill(rows[0].pid, "SIGKILL");
  await Promise.all([a.lost, b.lost]);
  let again = null;
  while (again === null) {
    again = await store.join(describe("b"), 60_000).catch(() => null);
    if (again === null) await sleep(clock, 20);
  }
  const after = await again.renew(60_000, "active");
  t.ok(after.serverStartedAt > before.serverStartedAt);
  t.match(after.members, [
    { node: "a", hasSession: false },
    { node: "b", hasSession: true },
  ]);
  t.equal((await again.take([{ shard: 0, expectedEpoch: 1 }], { ifSessionGone: true })).size, 0);
});
