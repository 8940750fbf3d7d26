import t from "tap";
import type { Link, LinkMessage } from "../../../src/actors/runtime/mod.js";
import { shardOf } from "../../../src/actors/runtime/shard.js";
import type { LateWord, ProcessView } from "../ports.js";
import { overhear } from "./overhear.js";

const ORDER = { kind: "order", key: "o-1" };
const DRIVER = { kind: "driver", key: "d-1" };

t.test("RULES 4: every word in an actor's name is heard once its shard is another's, and nothing else", async (t) => {
  const words: LateWord[] = [];
  const sent: LinkMessage[] = [];
  let owner = "n1";
  let arrive: (messages: readonly LinkMessage[]) => void = () => {};
  const link: Link = {
    self: "n1/shards-0",
    send: (_, message) => void sent.push(message),
    receive: (handler) => {
      arrive = (messages) => handler("n2/gateway-0", messages);
    },
    peers: () => {},
    close: () => {},
  };
  const heard = overhear(link, {
    process: { node: "n1", life: "n1-1" } as ProcessView,
    now: () => 7,
    ownerOf: (shard) => (shard === shardOf(ORDER) ? { node: owner, epoch: 1 } : { node: "n1", epoch: 1 }),
    note: (word) => void words.push(word),
  });
  const caller = { id: "c-1", role: "customer" } as const;
  const ask = { t: "ask", to: ORDER, name: "view", input: null, commandId: "", bodyHash: "", caller, notAfter: null };
  heard.receive(() => {});
  arrive([
    { ...ask, id: 1 } as LinkMessage,
    { ...ask, id: 2, to: DRIVER } as LinkMessage,
    { t: "subscribe", id: 3, to: ORDER, channel: "view", caller, from: null },
  ]);
  const item = { slot: "view", version: [1, 1], at: 0, ttlMs: 1, body: null } as never;
  const all: readonly LinkMessage[] = [
    { t: "slot", of: ORDER, channel: "view", item },
    { t: "event", of: ORDER, channel: "view", item },
    { t: "tell", from: ORDER, number: 1, to: DRIVER, name: "offer", input: new Uint8Array() },
    { t: "cast", from: ORDER, to: DRIVER, name: "grant", input: null, caller: null },
    { t: "subscribed", id: 3, epoch: 1, top: 0, recovered: true, events: [], slots: [] },
    { t: "reply", id: 1, value: null },
  ];
  for (const message of all) heard.send("n2/gateway-0", message);
  t.same(words, [], "its own shard");
  owner = "n2";
  arrive([{ ...ask, id: 1 } as LinkMessage]);
  for (const message of all) heard.send("n2/gateway-0", message);
  t.same(
    words.map(({ what, of, owner: whose, life }) => `${life} ${what} ${of} ${whose}`),
    all.map((message) => `n1-1 ${message.t} order/o-1 n2`),
  );
  words.length = 0;
  heard.send("n2/gateway-0", { t: "reply", id: 2, value: null });
  heard.send("n2/gateway-0", { t: "error", id: 9, error: { code: "not_owner", temporary: true } });
  heard.send("n2/gateway-0", { t: "told", from: DRIVER, number: 1 });
  t.same(words, [], "of another actor, or in nobody's name");
  t.equal(sent.length, 2 * all.length + 3, "everything goes its way");
});
