/** A conversation: what was said, what is on its way, who has read it, who writes, and the line to write in. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Chat, ChatLine, ChatSide } from "../../../sdk/mod.js";
import { useAction } from "../actions.js";
import { shortId } from "../format.js";
import { Button, IconButton } from "../kit/controls.js";
import { AlertIcon, SendIcon } from "../kit/icons.js";
import { capital, failureText, timeOfDay } from "../words.js";
import { useEnd } from "./use-end.js";
import "./chat.css";

const MOST_CHARACTERS = 2_000;
/** What was begun in a room and not sent, while another room or another page is looked at. */
const drafts = new Map<string, string>();

const NAMES: Readonly<Record<ChatSide, string>> = { customer: "Customer", driver: "Driver", support: "Support" };

type Notice = Extract<ChatLine, { type: "chat.notice" }>["body"];

function noticeText({ notice, agentId }: Notice, side: ChatSide): string {
  const who = side === "support" && agentId !== undefined ? ` ${shortId(agentId)}` : "";
  switch (notice) {
    case "claimed":
      return `An agent${who} is here`;
    case "transferred":
      return `Another agent${who} goes on`;
    case "returned":
      return "Waiting for the next agent";
    case "resolved":
      return "Resolved";
    case "reopened":
      return "Opened again";
    case "ending":
      return "Delivered. You can write for a little while yet";
    case "closed":
      return "This conversation is over";
    case "driver_changed":
      return "Another driver brings the order";
  }
}

export function ChatPanel({
  chat,
  side,
  mayWrite = true,
  hint,
}: {
  readonly chat: Chat;
  /** Whose page it is. */
  readonly side: ChatSide;
  readonly mayWrite?: boolean;
  /** Said while nothing has been said. */
  readonly hint: string;
}) {
  const list = useRef<HTMLOListElement>(null);
  const { lines, outgoing, room, typing, hasEarlier } = chat;
  const newest = lines.at(-1)?.offset ?? 0;
  const earlier = useAction(() => chat.earlier());
  useEffect(() => {
    const read = (): void => {
      if (document.visibilityState === "visible") chat.read();
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [chat, newest]);
  useEnd(list, lines[0]?.offset ?? Number.POSITIVE_INFINITY, outgoing.length);
  const mine = lines.findLast((line) => line.type === "chat.message" && line.body.from.side === side);
  const readBy = (Object.entries(room?.reads ?? {}) as [ChatSide, number][]).filter(
    ([who, upTo]) => who !== side && mine !== undefined && upTo >= mine.offset,
  );
  const others = typing.filter((who) => who !== side);
  const over = room?.status === "closed";
  return (
    <div class="chat">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys alone. */}
      <ol class="chat-lines" ref={list} aria-label="Conversation" aria-live="polite" tabIndex={0}>
        {hasEarlier && (
          <li class="chat-notice">
            <Button kind="plain" size="little" busy={earlier.busy} onClick={() => void earlier.run()}>
              What was said before
            </Button>
          </li>
        )}
        {lines.length === 0 && outgoing.length === 0 && <li class="chat-notice">{hint}</li>}
        {lines.map((line) => (
          <Line key={line.offset} line={line} side={side} read={readBy.length > 0 && line === mine} />
        ))}
        {outgoing.map(({ messageId, text, refused }) => (
          <li key={messageId} class={refused === null ? "chat-line mine waiting" : "chat-line mine refused"}>
            <p dir="auto">{text}</p>
            {refused === null ? (
              <span class="chat-meta">Sending…</span>
            ) : (
              <button type="button" class="chat-meta" onClick={() => chat.dismiss(messageId)}>
                <AlertIcon /> {failureText(refused)} Touch to remove.
              </button>
            )}
          </li>
        ))}
        {others.length > 0 && (
          <li class="chat-typing" role="status">
            {others.map((who) => NAMES[who]).join(" and ")} {others.length === 1 ? "is" : "are"} writing
            <span class="dots" aria-hidden="true" />
          </li>
        )}
      </ol>
      {over ? (
        <p class="chat-over soft">This conversation is over.</p>
      ) : (
        mayWrite && <Composer key={chat.roomId} chat={chat} />
      )}
    </div>
  );
}

function Line({
  line,
  side,
  read,
}: {
  readonly line: ChatLine;
  readonly side: ChatSide;
  /** The other side has seen it; shown at one's own newest. */
  readonly read: boolean;
}) {
  if (line.type === "chat.notice") return <li class="chat-notice">{noticeText(line.body, side)}</li>;
  const { from, text, attachments } = line.body;
  const isMine = from.side === side;
  const agent = side === "support" && from.agentId !== undefined ? ` ${shortId(from.agentId)}` : "";
  return (
    <li class={isMine ? "chat-line mine" : "chat-line"}>
      {text !== "" && <p dir="auto">{text}</p>}
      {attachments?.map(({ attachmentId, name, mediaType }) => (
        <p key={attachmentId} class="chat-attachment">
          {name ?? capital(mediaType.split("/")[0] ?? "file")}
        </p>
      ))}
      <span class="chat-meta">
        {!isMine || agent !== "" ? `${NAMES[from.side]}${agent} · ` : ""}
        <time dateTime={new Date(line.at).toISOString()}>{timeOfDay(line.at)}</time>
        {read && " · Read"}
      </span>
    </li>
  );
}

function Composer({ chat }: { readonly chat: Chat }) {
  const text = useSignal(drafts.get(chat.roomId) ?? "");
  const write = (next: string): void => {
    text.value = next;
    if (next === "") drafts.delete(chat.roomId);
    else drafts.set(chat.roomId, next);
  };
  const send = (): void => {
    const said = text.peek().trim();
    if (said === "") return;
    write("");
    // What is refused stays in the conversation, with its reason.
    chat.say(said).catch(() => undefined);
  };
  return (
    <form
      class="chat-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        class="input"
        dir="auto"
        rows={1}
        aria-label="Message"
        placeholder="Write a message"
        maxLength={MOST_CHARACTERS}
        value={text.value}
        onInput={(event) => {
          write(event.currentTarget.value);
          chat.types();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <IconButton label="Send" onClick={send}>
        <SendIcon />
      </IconButton>
    </form>
  );
}
