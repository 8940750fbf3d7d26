import t from "tap";
import type { EndpointId, Link, LinkMessage } from "../link.js";
import type { LinkBounds } from "./bounds.js";
import { type LinkHarness, linkContract } from "./contract.js";
import { joinLinks } from "./joined.js";
import { createMemoryNetwork } from "./memory.js";

const told = (number: number): LinkMessage => ({ t: "told", from: { kind: "k", key: "1" }, number });
const nodeOf = (endpoint: EndpointId): string => endpoint.split("/")[0]!;

/** In the contract `a` and `b` are threads of one node and `c` is another node. Both networks know all three. */
const sameNode = (one: EndpointId, other: EndpointId): boolean => (one === "c") === (other === "c");

async function joinedHarness(bounds: LinkBounds): Promise<LinkHarness> {
  const [inside, between] = [createMemoryNetwork({ bounds }), createMemoryNetwork({ bounds })];
  const open = new Map<EndpointId, Link>();
  return {
    async open(id) {
      const link = joinLinks(inside.endpoint(id), between.endpoint(id), (other) => sameNode(id, other));
      open.set(id, link);
      return link;
    },
    async crash(id) {
      open.get(id)?.close();
    },
    async settle() {
      while (inside.pump() + between.pump() > 0);
    },
    async close() {},
  };
}

linkContract(t, "joined", joinedHarness);

t.test("R-CLU-3: each side carries its own endpoints' messages, and only them", async (t) => {
  const [inside, between] = [createMemoryNetwork(), createMemoryNetwork()];
  const link = joinLinks(inside.endpoint("a/1"), between.endpoint("a/1"), (id) => nodeOf(id) === "a");
  const heard: string[] = [];
  link.receive((from, messages) => {
    for (const message of messages) heard.push(`${from} ${message.t === "told" ? message.number : message.t}`);
  });
  link.peers((peer, change) => heard.push(`${peer} ${change}`));
  const sister = inside.endpoint("a/2");
  const other = between.endpoint("b/1");
  const impostor = between.endpoint("a/2");
  const early: string[] = [];
  link.peers((peer, change) => early.push(`${peer} ${change}`));
  t.same(early, ["a/2 up", "b/1 up"], "a later handler is told of what is up on both sides, of each once");
  const atOthers: string[] = [];
  for (const [name, end] of Object.entries({ sister, other, impostor }))
    end.receive((_, messages) => {
      for (const message of messages) if (message.t === "told") atOthers.push(`${name} ${message.number}`);
    });
  link.send("a/2", told(1));
  link.send("b/1", told(2));
  sister.send("a/1", told(3));
  other.send("a/1", told(4));
  impostor.send("a/1", told(5));
  inside.pump();
  between.pump();
  t.same(atOthers, ["sister 1", "other 2"]);
  t.same(heard, ["a/2 up", "b/1 up", "a/2 3", "b/1 4"]);
  t.ok((link.room?.("a/2") ?? 0) > 0 && (link.room?.("b/1") ?? 0) > 0);
  t.equal(link.room?.("c/1"), 0);
  impostor.close();
  t.equal(heard.length, 4);
  sister.close();
  other.close();
  t.same(heard.slice(4), ["a/2 down", "b/1 down"]);
  link.close();
  t.same([inside.pending(), between.pending()], [0, 0]);
});

t.test("two links with different names are no link; room is said by whoever knows it", async (t) => {
  const network = createMemoryNetwork();
  const [one, two] = [network.endpoint("a/1"), network.endpoint("a/2")];
  t.throws(() => joinLinks(one, two, () => true), /different names, a\/1 and a\/2/);
  const silent = (self: EndpointId): Link => ({ self, send() {}, receive() {}, peers() {}, close() {} });
  t.equal(joinLinks(silent("a/1"), silent("a/1"), () => true).room, undefined);
  const half = joinLinks(silent("a/1"), one, (id) => id === "a/2");
  t.equal(half.room?.("a/2"), Number.MAX_SAFE_INTEGER);
  t.equal(half.room?.("b/1"), 0);
});
