import t from "tap";
import { Hubs } from "./hubs.js";

t.test("R-TRK-3: channels of one key are told apart by kind and by name, and go one by one", async (t) => {
  const hubs = new Hubs();
  const order = hubs.open({ kind: "order", key: "x" }, "order");
  const room = hubs.open({ kind: "chat-room", key: "x" }, "order");
  const inbox = hubs.open({ kind: "order", key: "x" }, "inbox");
  t.equal(new Set([order, room, inbox]).size, 3);
  t.equal(hubs.open({ kind: "order", key: "x" }, "order"), order, "the one there is");
  t.equal(hubs.size, 3);
  t.equal(hubs.find({ kind: "chat-room", key: "x" }, "order"), room);
  t.equal(hubs.find({ kind: "chat-room", key: "x" }, "inbox"), undefined);
  t.equal(hubs.find({ kind: "order", key: "y" }, "order"), undefined);
  hubs.remove(order);
  hubs.remove(order);
  t.equal(hubs.find({ kind: "order", key: "x" }, "order"), undefined);
  t.same([...hubs.all()], [room, inbox]);
  hubs.remove(room);
  hubs.remove(inbox);
  t.equal(hubs.size, 0);
});
