import { connect } from "nats";
import t from "tap";
import { missing, startNats } from "../../../test/support/servers.js";
import { sleep } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { encode } from "../../lib/msgpack.js";
import type { OwnershipHint, Testimony } from "../ports.js";
import { natsConnectOptions } from "./connection.js";
import { clock, random, startProxy, until } from "./fixtures/links.js";
import { openNatsHints } from "./mod.js";

t.test(
  "R-CLU-1: hints of ownership reach other nodes; losing NATS loses hints and nothing else",
  { skip: missing("nats") },
  async (t) => {
    const server = await startNats();
    t.teardown(() => server.stop());
    const proxy = await startProxy(server.port);
    t.teardown(() => proxy.close());
    const open = (node: string, cluster = "c") => {
      const hints = openNatsHints({ url: proxy.url, cluster, node, clock, log: silentLog });
      t.teardown(() => hints.close());
      const heard: OwnershipHint[] = [];
      hints.onHint(() => {
        throw new Error("a handler that throws does not keep the others from hearing");
      });
      hints.onHint((hint) => heard.push(hint));
      return { hints, heard };
    };
    const [a, b, other] = [open("a"), open("b"), open("x", "another cluster")];
    const hintOf = (node: string, epoch: number): OwnershipHint => ({
      node,
      workers: 2,
      shards: [
        { shard: 0, epoch },
        { shard: 511, epoch: epoch + 1 },
      ],
    });
    /** Said until it is heard, since a hint may be lost. */
    const sayUntilHeard = async (epoch: number): Promise<void> => {
      while (!b.heard.some(({ shards }) => shards[0]?.epoch === epoch)) {
        a.hints.announce(hintOf("a", epoch));
        await sleep(clock, 5);
      }
    };
    await sayUntilHeard(1);
    t.same(b.heard[0], hintOf("a", 1));
    t.same(a.heard, [], "its own are not for itself");

    const gift = hintOf("b", 2);
    while (!b.heard.some(({ node }) => node === "b")) {
      a.hints.announce(gift);
      await sleep(clock, 5);
    }
    t.same(b.heard.at(-1), gift, "R-CLU-1: who is given a shard hears so, and need not wait for its next heartbeat");

    const stranger = await connect(natsConnectOptions(server.url));
    t.teardown(() => stranger.close());
    const nonsense: unknown[] = [
      1,
      [],
      ["a", 0, []],
      ["a", 2, [[0]]],
      ["a", 2, [[0, -1]]],
      ["", 2, []],
      ["a", 2, [[1e9, 1]]],
    ];
    for (const value of nonsense) stranger.publish("swift-eats.c.hints", encode(value));
    for (let n = 0; n < 50; n++) stranger.publish("swift-eats.c.hints", random.bytes(20));
    await until("all nonsense is counted", () => b.hints.stats().malformed === nonsense.length + 50);
    const before = b.heard.length;
    stranger.publish("swift-eats.c.hints", encode(["a", 2, [[3, 4]]]));
    await until("sense is heard", () => b.heard.length > before);
    t.same(b.heard.at(-1), { node: "a", workers: 2, shards: [{ shard: 3, epoch: 4 }] });

    proxy.cut();
    await until("lost", () => !a.hints.stats().connected && !b.hints.stats().connected);
    for (let n = 0; n < 100; n++) a.hints.announce(hintOf("a", 50));
    proxy.open();
    await sayUntilHeard(51);
    t.notOk(
      b.heard.some(({ shards }) => shards[0]?.epoch === 50),
      "what could not be said is not said later",
    );
    t.same(other.heard, []);
  },
);

t.test(
  "R-CLU-5: what members without a database say reaches the others as it was said, and what is no testimony does not",
  { skip: missing("nats") },
  async (t) => {
    const server = await startNats();
    t.teardown(() => server.stop());
    const open = (node: string) => {
      const hints = openNatsHints({ url: server.url, cluster: "c", node, clock, log: silentLog });
      t.teardown(() => hints.close());
      const heard: Testimony[] = [];
      hints.onTestimony((testimony) => heard.push(testimony));
      hints.onHint(() => t.fail("a testimony is no hint"));
      return { hints, heard };
    };
    const [a, b] = [open("a"), open("b")];
    const said: Testimony = {
      node: "a",
      incarnation: "a-1",
      question: 7,
      promises: [
        { node: "b", incarnation: "b-9", question: 2 ** 40 },
        { node: "c", incarnation: "c-1", question: 1 },
      ],
    };
    while (b.heard.length === 0) {
      a.hints.testify(said);
      await sleep(clock, 5);
    }
    t.same(b.heard[0], said);
    t.same(a.heard, [], "its own are not for itself");

    const stranger = await connect(natsConnectOptions(server.url));
    t.teardown(() => stranger.close());
    const nonsense: unknown[] = [
      1,
      ["a", "a-1", 7],
      ["a", "", 7, []],
      ["", "a-1", 7, []],
      ["a", "a-1", -1, []],
      ["a", "a-1", 7, [["b", "b-1"]]],
      ["a", "a-1", 7, [["b", "b-1", 0.5]]],
      ["a", "a-1", 7, [["b", 1, 1]]],
      ["a", "a-1", 7, Array.from({ length: 1_025 }, () => ["b", "b-1", 1])],
    ];
    for (const value of nonsense) stranger.publish("swift-eats.c.testimony", encode(value));
    for (let n = 0; n < 50; n++) stranger.publish("swift-eats.c.testimony", random.bytes(20));
    await until("all nonsense is counted", () => b.hints.stats().malformed === nonsense.length + 50);
    const before = b.heard.length;
    stranger.publish("swift-eats.c.testimony", encode(["z", "z-1", 0, []]));
    await until("sense is heard", () => b.heard.length > before);
    t.same(b.heard.at(-1), { node: "z", incarnation: "z-1", question: 0, promises: [] });
  },
);
