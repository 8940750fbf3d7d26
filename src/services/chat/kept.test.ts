import t from "tap";
import type { IndexRow } from "../../actors/runtime/mod.js";
import type { ChatLine } from "../../protocol/mod.js";
import { saidReader } from "./mod.js";

const said = (offset: number, side: "customer" | "driver" | "support", text: string): ChatLine => ({
  offset,
  at: offset,
  type: "chat.message",
  body: { messageId: `m${offset}`, text, from: { side } },
});
const notice = (offset: number, what: "driver_changed" | "ending"): ChatLine => ({
  offset,
  at: offset,
  type: "chat.notice",
  body: { notice: what },
});

t.test("R-ACC-4: a person gets what they said in all of their rooms, and nothing of the others", async (t) => {
  const long = Array.from({ length: 250 }, (_, i) => said(i + 1, i % 2 === 0 ? "customer" : "driver", `line ${i + 1}`));
  const rooms: Readonly<Record<string, readonly ChatLine[]>> = {
    long,
    support: [said(1, "customer", "help"), said(2, "support", "gladly")],
    trip: [said(1, "driver", "of another driver"), notice(2, "driver_changed"), said(3, "driver", "I am down here")],
  };
  const row = (key: string, at: number, owner: string, counterparty: string) =>
    ({ kind: "chat-room", key, at, owner, counterparty }) as unknown as IndexRow;
  const index = [row("long", 1, "ana", ""), row("support", 2, "ana", ""), row("trip", 3, "bea", "driver/dan")];
  const read = saidReader({
    index: {
      queryIndex: async ({ owner, counterparty, from, limit }) =>
        index
          .filter((each) => (owner === undefined ? each.counterparty === counterparty : each.owner === owner))
          .filter(({ at }) => at > (from?.at ?? 0))
          .slice(0, limit),
    },
    history: {
      before: async (roomId, before, limit) => rooms[roomId]!.filter(({ offset }) => offset < before).slice(-limit),
    },
  });
  const ana = await read("ana");
  t.equal(ana.length, 126);
  t.strictSame(ana[0], { roomId: "long", at: 1, text: "line 1" });
  t.strictSame(ana.at(-1), { roomId: "support", at: 1, text: "help" });
  t.strictSame(await read("dan"), [{ roomId: "trip", at: 3, text: "I am down here" }]);
  t.strictSame(await read("nobody"), []);
});
