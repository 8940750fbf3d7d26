/** Ways to reach somebody: a message, which opens the room, and a call by the number that both share. */
import { useSignal } from "@preact/signals";
import type { ChatSide, Client, RoomView } from "../../../sdk/mod.js";
import { contactNumber } from "../../../sdk/mod.js";
import { useAction } from "../actions.js";
import { Button } from "../kit/controls.js";
import { ChatIcon, PhoneIcon } from "../kit/icons.js";
import { Sheet } from "../kit/sheet.js";
import { Bones, Failure } from "../kit/states.js";
import { plural } from "../words.js";
import { ChatPanel } from "./chat-panel.js";
import { useChat } from "./use-chat.js";

export function TalkButton({
  client,
  side,
  label,
  title,
  hint,
  room,
  open,
}: {
  readonly client: Client | null;
  readonly side: ChatSide;
  /** On the button. */
  readonly label: string;
  /** Over the conversation. */
  readonly title: string;
  readonly hint: string;
  /** The room's id, where it is known to be open already. */
  readonly room: string | null;
  readonly open: () => Promise<RoomView>;
}) {
  const known = useSignal<string | null>(null);
  const showing = useSignal(false);
  const failed = useSignal<unknown>(null);
  const opening = useAction(
    async () => {
      showing.value = true;
      failed.value = null;
      known.value = (await open()).roomId;
    },
    (error) => (failed.value = error),
  );
  const { chat, unread, ended } = useChat(client, known.value ?? room, side, true);
  const problem = failed.value ?? ended;
  return (
    <>
      <Button kind={unread > 0 ? "primary" : "quiet"} onClick={() => void opening.run()}>
        <ChatIcon /> {label}
        {unread > 0 && <span class="count-mark">{unread}</span>}
        {unread > 0 && <span class="visually-hidden">, {plural(unread, "new message")}</span>}
      </Button>
      {showing.value && (
        <Sheet title={title} onClose={() => (showing.value = false)}>
          {chat !== null ? (
            <ChatPanel chat={chat} side={side} hint={hint} />
          ) : problem === null ? (
            <Bones count={3} height={48} />
          ) : (
            <Failure error={problem} again={() => void opening.run()} />
          )}
        </Sheet>
      )}
    </>
  );
}

/** Neither sees the other's number: the one that is called belongs to nobody and ends with the delivery. */
export function CallButton({ client, orderId }: { readonly client: Client | null; readonly orderId: string }) {
  const calling = useAction(async () => {
    if (client === null) return;
    const { number } = await contactNumber(client, orderId);
    location.href = `tel:${number}`;
  });
  return (
    <Button kind="quiet" busy={calling.busy} onClick={() => void calling.run()}>
      <PhoneIcon /> Call
    </Button>
  );
}
