import pg from "pg";
import t, { type Test } from "tap";
import { withPostgres } from "../../src/store/contract/postgres.js";
import { hearWitness, installWitness } from "./witness.js";

/** A database with the engine's tables and a witness, and a connection that names itself as a node's process does. */
async function world(t: Test, processName: string) {
  const { connectionString } = await withPostgres();
  await installWitness(connectionString);
  const open = async (name: string) => {
    const client = new pg.Client({ connectionString, application_name: name });
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  const client = await open(processName);
  await client.query("INSERT INTO shard_owner (shard, epoch, node) VALUES (7, 3, 'a')");
  const commit = (seq: number, epoch: number, by: pg.Client = client) =>
    by.query(
      `INSERT INTO actor_snapshot (kind, key, shard, seq, version, epoch, next_tell, next_event, committed_at, flush_id, state)
        VALUES ('order', 'o', 7, $1, 1, $2, 1, 1, 0, '', '') ON CONFLICT (kind, key) DO UPDATE SET seq = $1, epoch = $2`,
      [seq, epoch],
    );
  return { connectionString, client, open, commit, hear: () => hearWitness(connectionString) };
}

t.test("rule 4: epochs and sequences that only rise are no violation", async (t) => {
  const { client, open, commit, hear } = await world(t, "swift-eats flush 100-1-1");
  await commit(1, 3);
  await commit(2, 3, await open("swift-eats flush 100-1-2"));
  await client.query("UPDATE shard_owner SET epoch = 4, node = 'b' WHERE shard = 7");
  await commit(3, 4, await open("swift-eats flush 200-1-1"));
  await client.query(
    `INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body) VALUES ('order', 'o', 1, 7, 'order.placed', 0, '')`,
  );
  t.match(await hear(), {
    violations: [],
    moves: 2,
    commits: 3,
    events: [{ kind: "order", key: "o", offset: 1, type: "order.placed" }],
  });
});

t.test("rule 4: a commit under an epoch that has passed is told, with what came before it", async (t) => {
  const { client, commit, hear } = await world(t, "swift-eats flush 100-1-1");
  await commit(1, 3);
  await client.query("UPDATE shard_owner SET epoch = 4, node = 'b' WHERE shard = 7");
  await commit(2, 3);
  const { violations } = await hear();
  t.match(violations, [
    { rule: "rule-04-one-epoch-commits", subject: "order/o", summary: /under epoch 3 .* at epoch 4/ },
  ]);
  t.equal(violations[0]?.story.length, 2);
});

t.test("rule 4: two processes under one epoch are told", async (t) => {
  const { open, commit, hear } = await world(t, "swift-eats flush 100-1-1");
  await commit(1, 3);
  await commit(2, 3, await open("swift-eats flush 200-1-1"));
  t.match((await hear()).violations, [{ subject: "shard 7", summary: /epoch 3 of shard 7 .*100.* and by .*200/ }]);
});

t.test("rule 4: a sequence that does not rise and an epoch that falls or changes hands are told", async (t) => {
  const { client, commit, hear } = await world(t, "swift-eats flush 100-1-1");
  await commit(5, 3);
  await commit(5, 3);
  t.match((await hear()).violations, [{ subject: "order/o", summary: /from sequence 5 of epoch 3 to sequence 5/ }]);
  await client.query("UPDATE shard_owner SET node = 'b' WHERE shard = 7");
  await client.query("UPDATE shard_owner SET epoch = 2 WHERE shard = 7");
  await client.query("DELETE FROM shard_owner WHERE shard = 7");
  const moves = (await hear()).violations.filter(({ subject }) => subject === "shard 7");
  t.match(
    moves.map(({ summary }) => summary),
    [/epoch 3 of a to epoch 3 of b/, /epoch 3 of b to epoch 2 of b/, /epoch 2 of b to epoch nothing of nobody/],
  );
});
