/** A room on a page: opened when it is known, stopped with the page, drawn anew whenever something in it changes. */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type Chat, type ChatSide, type Client, chat, type SwiftEatsError } from "../../../sdk/mod.js";
import { clock, random } from "../clock.js";
import { call } from "../sound.js";

export interface RoomOnPage {
  readonly chat: Chat | null;
  /** Lines of others that this side has not read. */
  readonly unread: number;
  /** Why there is no room, or no longer. */
  readonly ended: SwiftEatsError | null;
}

const NONE: RoomOnPage = { chat: null, unread: 0, ended: null };

/** Null: no room yet. With `rings` a word of somebody else makes a sound. */
export function useChat(client: Client | null, roomId: string | null, side: ChatSide, rings = false): RoomOnPage {
  const revision = useSignal(0);
  const ended = useMemo(() => signal<SwiftEatsError | null>(null), [roomId]);
  const made = useSignal<Chat | null>(null);
  useEffect(() => {
    if (client === null || roomId === null) return;
    const opened = chat(
      client,
      roomId,
      {
        changed: () => revision.value++,
        line(line) {
          if (rings && line.type === "chat.message" && line.body.from.side !== side) call("message");
        },
        ended: (error) => (ended.value = error),
      },
      { clock, random },
    );
    made.value = opened;
    return () => {
      made.value = null;
      opened.stop();
    };
  }, [client, roomId, side]);
  const shown = made.value;
  if (shown === null || revision.value < 0) return { ...NONE, ended: ended.value };
  const read = shown.room?.reads[side] ?? 0;
  const others = shown.lines.filter(
    (line) => line.offset > read && line.type === "chat.message" && line.body.from.side !== side,
  );
  return { chat: shown, unread: shown.room === null ? 0 : others.length, ended: ended.value };
}
