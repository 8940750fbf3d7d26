/** What the history of rooms promises. Run on each implementation, over the actor store beside it. */
import type { Test } from "tap";
import type { ActorStore, ChannelEvent } from "../../actors/runtime/ports.js";
import { encode } from "../../lib/msgpack.js";
import type { ChatLine } from "../../protocol/mod.js";
import type { ChatHistory } from "../../services/chat/ports.js";
import { batch, write } from "./batches.js";

const body = (text: string) => ({ messageId: "m", text, from: { side: "customer" } });
const line = (offset: number): ChatLine =>
  ({ offset, at: offset * 10, type: "chat.message", body: body(`line ${offset}; ö`) }) as ChatLine;
const event = (offset: number, channel = "talk"): ChannelEvent => ({
  channel,
  offset,
  type: "chat.message",
  at: offset * 10,
  body: encode(body(`line ${offset}; ö`)),
});

export async function chatHistoryContract(
  t: Test,
  make: (t: Test) => Promise<{ readonly store: ActorStore; readonly history: ChatHistory }>,
): Promise<void> {
  await t.test("R-COM-1: lines come in pages towards the beginning, each oldest first", async (t) => {
    const { store, history } = await make(t);
    const epochs = await store.claimShards("n", [0]);
    const pushes = Array.from({ length: 25 }, (_, i) => event(i + 1));
    await store.flush(batch(epochs, [write("support:c", { kind: "chat-room", pushes })]));
    t.same(await history.before("support:c", Number.MAX_SAFE_INTEGER, 2), [line(24), line(25)]);
    t.same(await history.before("support:c", 24, 3), [line(21), line(22), line(23)]);
    t.same(await history.before("support:c", 3, 100), [line(1), line(2)]);
    t.same(await history.before("support:c", 1, 100), []);
    t.same(await history.before("support:nobody", 9, 100), []);
  });

  await t.test("R-COM-1: what another actor, another channel or a fenced owner said is in no room", async (t) => {
    const { store, history } = await make(t);
    const epochs = await store.claimShards("n", [0]);
    await store.flush(batch(epochs, [write("c", { kind: "driver", pushes: [event(1, "work")] })]));
    await store.flush(batch(epochs, [write("c", { kind: "chat-room", pushes: [event(1), event(1, "other")] })]));
    t.same(await history.before("c", 9, 9), [line(1)]);
    await store.claimShards("m", [0]);
    const late = write("c", { kind: "chat-room", expectedSeq: 1, seq: 2, pushes: [event(2)] });
    await store.flush(batch(epochs, [late]));
    t.same(await history.before("c", 9, 9), [line(1)], "who lost the shard adds nothing");
  });

  await t.test("R-ACC-3: what was erased is not found again", async (t) => {
    const { store, history } = await make(t);
    const epochs = await store.claimShards("n", [0]);
    await store.flush(batch(epochs, [write("c", { kind: "chat-room", pushes: [event(1), event(2)] })]));
    const trims = [{ channel: "talk", offset: 2 }];
    await store.flush(batch(epochs, [write("c", { kind: "chat-room", expectedSeq: 1, seq: 2, trims })]));
    t.same(await history.before("c", 9, 9), []);
  });
}
