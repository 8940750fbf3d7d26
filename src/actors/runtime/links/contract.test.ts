import t from "tap";
import { endOfTurn } from "../../../lib/schedule.js";
import type { EndpointId } from "../link.js";
import type { LinkBounds } from "./bounds.js";
import { type LinkHarness, linkContract } from "./contract.js";
import { createMemoryNetwork } from "./memory.js";
import { createMessagePortLink, createPortPair, type MessagePortLink } from "./message-port.js";

async function memoryHarness(bounds: LinkBounds): Promise<LinkHarness> {
  const network = createMemoryNetwork({ bounds });
  const open = new Map<EndpointId, { close(): void }>();
  return {
    async open(id) {
      const link = network.endpoint(id);
      open.set(id, link);
      return link;
    },
    async crash(id) {
      open.get(id)?.close();
    },
    async settle() {
      network.pump();
    },
    async close() {},
  };
}

const turn = (): Promise<void> => new Promise((resolve) => endOfTurn(resolve));

async function messagePortHarness(bounds: LinkBounds): Promise<LinkHarness> {
  const links = new Map<EndpointId, MessagePortLink>();
  /** The ports of each endpoint, to close under it as the end of its thread would. */
  const ports = new Map<EndpointId, { close(): void }[]>();
  const settle = async (): Promise<void> => {
    // Ports of one thread deliver within a few turns; a hundred turns without change is quiet.
    let before = "";
    for (let still = 0; still < 100; still++) {
      await turn();
      const after = JSON.stringify([...links.values()].map((link) => link.stats()));
      if (after !== before) still = 0;
      before = after;
    }
  };
  return {
    async open(id) {
      const link = createMessagePortLink({ self: id, settings: { ...bounds, window: 64, maxBatch: 1_024 } });
      ports.set(id, []);
      for (const [otherId, other] of links) {
        const [own, others] = createPortPair();
        ports.get(id)?.push(own.port);
        ports.get(otherId)?.push(others.port);
        link.connect(otherId, own);
        other.connect(id, others);
      }
      links.set(id, link);
      return link;
    },
    async crash(id) {
      for (const port of ports.get(id) ?? []) port.close();
      links.delete(id);
      await settle();
    },
    settle,
    async close() {
      for (const link of links.values()) link.close();
    },
  };
}

linkContract(t, "memory", memoryHarness);
linkContract(t, "message port", messagePortHarness);

t.test(
  "R-ENG-6: a receiver that does not consume gets no more than the window; the rest follows when it does",
  async (t) => {
    const sender = createMessagePortLink({
      self: "a",
      settings: { window: 10, maxDroppable: 1_000, maxQueued: 1_000 },
    });
    const receiver = createMessagePortLink({ self: "b" });
    t.teardown(() => {
      sender.close();
      receiver.close();
    });
    const [near, far] = createPortPair();
    sender.connect("b", near);
    receiver.connect("a", far);
    for (let number = 0; number < 100; number++) sender.send("b", { t: "told", from: { kind: "k", key: "1" }, number });
    for (let n = 0; n < 20; n++) await turn();
    t.match(sender.stats(), [{ sent: 10, queued: 90, dropped: 0 }]);
    const got: number[] = [];
    await new Promise<void>((resolve) =>
      receiver.receive((_, messages) => {
        for (const message of messages) if (message.t === "told") got.push(message.number);
        if (got.length === 100) resolve();
      }),
    );
    t.same(
      got,
      Array.from({ length: 100 }, (_, n) => n),
    );
  },
);

t.test("a message that cannot be cloned is reported and does not take its batch with it", async (t) => {
  const problems: string[] = [];
  const sender = createMessagePortLink({ self: "a", onProblem: (problem) => problems.push(problem.type) });
  const receiver = createMessagePortLink({ self: "b" });
  t.teardown(() => {
    sender.close();
    receiver.close();
  });
  const [near, far] = createPortPair();
  sender.connect("b", near);
  receiver.connect("a", far);
  sender.send("b", { t: "credit", count: 1 });
  sender.send("b", {
    t: "cast",
    to: { kind: "k", key: "1" },
    name: "n",
    input: () => 1,
    caller: null,
    from: null,
  });
  sender.send("b", { t: "credit", count: 2 });
  const got: number[] = [];
  await new Promise<void>((resolve) =>
    receiver.receive((_, messages) => {
      for (const message of messages) if (message.t === "credit") got.push(message.count);
      if (got.length === 2) resolve();
    }),
  );
  t.same(got, [1, 2]);
  t.same(problems, ["cast"]);
});

t.test("a new channel to a known peer replaces the old one: down, then up", async (t) => {
  const link = createMessagePortLink({ self: "a" });
  t.teardown(() => link.close());
  const seen: string[] = [];
  link.peers((peer, change) => seen.push(`${peer} ${change}`));
  link.connect("b", createPortPair()[0]);
  const [near] = createPortPair();
  link.connect("b", near);
  t.same(seen, ["b up", "b down", "b up"]);
  for (let n = 0; n < 20; n++) await turn();
  t.same(seen, ["b up", "b down", "b up"], "the old channel's end is not the new one's");
});

t.test("bounds that cannot hold are refused", async (t) => {
  t.throws(() => createMemoryNetwork({ bounds: { maxDroppable: 2, maxQueued: 1 } }), /maxDroppable \(2\)/);
  t.throws(() => createMessagePortLink({ self: "a", settings: { maxDroppable: 0 } }), /maxDroppable \(0\)/);
});
