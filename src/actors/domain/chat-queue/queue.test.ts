import t from "tap";
import type { RoomView } from "../../../protocol/mod.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { createTestKit } from "../../runtime/testkit/mod.js";
import { createCity, support } from "../fixtures/city.js";
import { chatQueueActor } from "./actor.js";
import { ChatQueue } from "./messages.js";

const view = (roomId: string, version: number, status: RoomView["status"]): RoomView => ({
  roomId,
  kind: "support",
  version,
  status,
  openedAt: 1,
  top: 1,
  reads: {},
});

t.test("R-COM-1: of one room an older picture never follows a newer one", async (t) => {
  const { kit } = createCity();
  const queue = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, support);
  const moved = (room: RoomView) => kit.must(ChatQueue, "all", "roomMoved", room);
  await moved(view("support:a", 2, "assigned"));
  await moved(view("support:a", 1, "waiting"));
  await kit.advance(10);
  t.match(queue.latest(), { "support:a": { status: "assigned" } });
  await moved(view("support:a", 4, "resolved"));
  await moved(view("support:a", 3, "waiting"));
  await moved(view("support:b", 1, "resolved"));
  await kit.advance(10);
  t.same(queue.latest(), { "support:a": null }, "and of a room that never waited there is nothing to say");
  await kit.close();
});

t.test("R-PRO-5: however many rooms there are, so many are kept, and those that have waited longest", async (t) => {
  const definitions = [chatQueueActor(5)];
  const kit = createTestKit({ definitions, store: (clock) => createMemoryActorStore({ clock }) });
  const moved = (room: RoomView) => kit.must(ChatQueue, "all", "roomMoved", room);
  for (let i = 0; i < 40; i++) {
    await moved(view(`support:${i}`, 1, "waiting"));
    await moved(view(`support:over-${i}`, 1, "waiting"));
    await moved(view(`support:over-${i}`, 2, "resolved"));
  }
  const queue = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, support);
  t.same(
    Object.keys(queue.latest()),
    [0, 1, 2, 3, 4].map((i) => `support:${i}`),
  );
  await kit.close();
});
