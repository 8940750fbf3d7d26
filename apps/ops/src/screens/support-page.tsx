/** The agents' desk: who waits, the longest first, who is being helped, and the conversation that was chosen. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type RoomView, watchQueue } from "../../../../sdk/mod.js";
import { account } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { ChatPanel } from "../../../shared/chat/chat-panel.js";
import { useChat } from "../../../shared/chat/use-chat.js";
import { formatAgo, shortId } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { ChatIcon, ReceiptIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { now } from "../../../shared/line/node.js";
import { server, startCity } from "../store/city.js";

const waits = (room: RoomView): boolean => room.status === "waiting";

export function SupportPage() {
  const ready = useSignal(false);
  const queue = useSignal<readonly RoomView[] | null>(null);
  const failed = useSignal<unknown>(null);
  const chosen = useSignal<string | null>(null);
  useEffect(() => {
    let watch: { stop(): void } | null = null;
    let gone = false;
    startCity().then(
      () => {
        if (gone) return;
        ready.value = true;
        watch = watchQueue(server(), {
          changed: (rooms) => (queue.value = rooms),
          ended: (error) => (failed.value = error),
        });
      },
      (error: unknown) => (failed.value = error),
    );
    return () => {
      gone = true;
      watch?.stop();
    };
  }, []);
  if (failed.value !== null) return <Failure error={failed.value} again={() => location.reload()} />;
  if (queue.value === null || !ready.value) return <Bones count={4} height={72} />;
  const me = account.value?.id;
  const own = queue.value.filter(({ status, agentId }) => status === "assigned" && agentId === me);
  const others = queue.value.filter(({ status, agentId }) => status === "assigned" && agentId !== me);
  const choose = (roomId: string): void => {
    chosen.value = roomId;
  };
  return (
    <div class="support-desk">
      <div class="stack">
        <h1>Conversations</h1>
        <Rooms title="Waiting" rooms={queue.value.filter(waits)} chosen={chosen.value} choose={choose} />
        <Rooms title="Yours" rooms={own} chosen={chosen.value} choose={choose} />
        <Rooms title="Other agents" rooms={others} chosen={chosen.value} choose={choose} />
        {queue.value.length === 0 && (
          <Empty picture={<ChatIcon />} title="Nobody waits">
            Whoever writes to support appears here at once.
          </Empty>
        )}
      </div>
      {chosen.value !== null && <Conversation key={chosen.value} roomId={chosen.value} />}
    </div>
  );
}

function Rooms({
  title,
  rooms,
  chosen,
  choose,
}: {
  readonly title: string;
  readonly rooms: readonly RoomView[];
  readonly chosen: string | null;
  readonly choose: (roomId: string) => void;
}) {
  if (rooms.length === 0) return null;
  return (
    <section class="stack tight">
      <h2>
        {title} <span class="soft number">{rooms.length}</span>
      </h2>
      <ul class="rows panel">
        {rooms.map((room) => (
          <li key={room.roomId}>
            <button
              type="button"
              class="row-button"
              aria-pressed={room.roomId === chosen}
              onClick={() => choose(room.roomId)}
            >
              <span class="grow">
                <strong class="block">
                  Customer {shortId(room.customerId ?? "")}
                  {room.orderId !== undefined && ` · order ${shortId(room.orderId)}`}
                </strong>
                <span class="small soft block cut">{room.excerpt ?? ""}</span>
              </span>
              {room.waitingSince !== undefined && (
                <span class="chip busy number">{formatAgo(now.value - room.waitingSince)}</span>
              )}
              {room.agentId !== undefined && <span class="chip">{shortId(room.agentId)}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Conversation({ roomId }: { readonly roomId: string }) {
  const { chat, ended } = useChat(server(), roomId, "support");
  const me = account.value;
  const claim = useAction(async () => void (await server().command("chat.claim", { roomId })));
  const giveBack = useAction(async () => void (await server().command("chat.transfer", { roomId })));
  const resolve = useAction(async () => void (await server().command("chat.resolve", { roomId })));
  if (ended !== null) return <Failure error={ended} again={() => location.reload()} />;
  if (chat?.room == null) return <Bones count={3} height={60} />;
  const { status, agentId, orderId } = chat.room;
  const isMine = status === "assigned" && agentId === me?.id;
  return (
    <section class="panel stack support-room" aria-label="Conversation">
      <div class="row wrap">
        {orderId !== undefined && (
          <a class="button secondary" href={`#/order/${orderId}`}>
            <ReceiptIcon /> Order {shortId(orderId)}
          </a>
        )}
        {!isMine && status !== "assigned" && (
          <Button busy={claim.busy} onClick={() => void claim.run()}>
            {status === "resolved" ? "Take it up again" : "Take it"}
          </Button>
        )}
        {isMine && (
          <>
            <Button kind="good" busy={resolve.busy} onClick={() => void resolve.run()}>
              Resolved
            </Button>
            <Button kind="secondary" busy={giveBack.busy} onClick={() => void giveBack.run()}>
              Back to the queue
            </Button>
          </>
        )}
        {status === "assigned" && !isMine && (
          <>
            <span class="chip grow">Agent {shortId(agentId ?? "")} has it</span>
            {me?.role === "admin" && (
              <Button kind="secondary" busy={giveBack.busy} onClick={() => void giveBack.run()}>
                Back to the queue
              </Button>
            )}
          </>
        )}
      </div>
      <ChatPanel chat={chat} side="support" mayWrite={isMine} hint="Nothing has been said yet." />
    </section>
  );
}
