/** A person's rooms, asked to forget what was said: see the room actor's `talk.ts`. */
import { type ActorClient, type ActorStore, actorRef } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import { type Random, uuidV7 } from "../../lib/random.js";

const Room = actorRef<{
  forgetPerson: { input: { readonly personId: string }; reply: { readonly forgotten: true } };
}>("chat-room");
const PAGE = 100;

/** Gives false while a conversation of theirs goes on. Rejects when a room or the index does not answer. */
export function roomForgetter(deps: {
  readonly client: Pick<ActorClient, "ask">;
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly clock: Clock;
  readonly random: Random;
}): (personId: string) => Promise<boolean> {
  const { client, index, clock, random } = deps;

  async function ofWhom(
    whose: { readonly owner: string } | { readonly counterparty: string },
    personId: string,
  ): Promise<boolean> {
    // A room that forgets moves to the newest end of the list; so the pages go from the oldest on, up to now.
    let from = { at: 0, key: "" };
    const until = clock.now();
    let isAll = true;
    for (;;) {
      const rows = await index.queryIndex({ kind: "chat-room", ...whose, from, limit: PAGE, views: false });
      const old = rows.filter(({ at }) => at <= until);
      for (const { key } of old) {
        const options = { commandId: uuidV7(clock.now(), random), caller: { id: personId, role: "accounts" } };
        const answer = await client.ask(Room, key, "forgetPerson", { personId }, options);
        if (answer.ok) continue;
        if (answer.error.code !== "illegal_transition") throw new Error(`a room answered ${answer.error.code}`);
        isAll = false;
      }
      const last = old.at(-1);
      if (last === undefined || old.length < PAGE) return isAll;
      from = { at: last.at, key: last.key };
    }
  }

  return async (personId) => {
    const asCustomer = await ofWhom({ owner: personId }, personId);
    const asDriver = await ofWhom({ counterparty: `driver/${personId}` }, personId);
    return asCustomer && asDriver;
  };
}
