/** What a person has said in their rooms, for the copy of everything that is kept about them. */
import type { ActorStore } from "../../actors/runtime/mod.js";
import type { ChatLine } from "../../protocol/mod.js";
import type { ChatHistory } from "./ports.js";

export interface SaidInRoom {
  readonly roomId: string;
  readonly at: number;
  readonly text: string;
}

const PAGE = 100;
/** Lines of one copy; a person who said more gets these, those of the oldest rooms first. */
const MOST_SAID = 20_000;

/** Rejects when the index or the history does not answer. */
export function saidReader(deps: {
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly history: ChatHistory;
}): (personId: string) => Promise<readonly SaidInRoom[]> {
  const { index, history } = deps;

  async function roomsOf(whose: { readonly owner: string } | { readonly counterparty: string }): Promise<string[]> {
    const rooms: string[] = [];
    let from = { at: 0, key: "" };
    while (rooms.length < MOST_SAID) {
      const rows = await index.queryIndex({ kind: "chat-room", ...whose, from, limit: PAGE, views: false });
      rooms.push(...rows.map(({ key }) => key));
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      from = { at: last.at, key: last.key };
    }
    return rooms;
  }

  async function linesOf(roomId: string): Promise<readonly ChatLine[]> {
    const lines: ChatLine[] = [];
    let before = Number.MAX_SAFE_INTEGER;
    while (lines.length < MOST_SAID) {
      const page = await history.before(roomId, before, PAGE);
      lines.unshift(...page);
      if (page[0] === undefined || page.length < PAGE) break;
      before = page[0].offset;
    }
    return lines;
  }

  async function saidBy(side: "customer" | "driver", rooms: readonly string[]): Promise<readonly SaidInRoom[]> {
    const said: SaidInRoom[] = [];
    for (const roomId of rooms) {
      let own: SaidInRoom[] = [];
      for (const { at, body } of await linesOf(roomId)) {
        // What was said on this side before was said by another driver.
        if ("notice" in body) own = side === "driver" && body.notice === "driver_changed" ? [] : own;
        else if (body.from.side === side) own.push({ roomId, at, text: body.text });
      }
      said.push(...own);
      if (said.length >= MOST_SAID) break;
    }
    return said.slice(0, MOST_SAID);
  }

  return async (personId) => [
    ...(await saidBy("customer", await roomsOf({ owner: personId }))),
    ...(await saidBy("driver", await roomsOf({ counterparty: `driver/${personId}` }))),
  ];
}
