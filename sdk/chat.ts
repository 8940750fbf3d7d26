/**
 * One room, as a page shows it: what was said, what is on its way, who has read, who writes.
 *
 * While no socket comes through, the room is asked for its newest lines now and then, which costs what a poll costs.
 *
 * Owns: the lines held, the messages on their way, receipts, the typing of others. Does not own: the queue that resends
 * (`commands.ts`) or the position in the channel (`channels.ts`).
 *
 * Invariants: the lines held have no hole, rise by one and are handed up once each; a message that was said is either on
 * its way, or a line, or refused, and never two of these; what was read is told once and never backwards.
 */
import { type Cancel, type Clock, systemClock } from "../src/lib/clock.js";
import { type Random, systemRandom, uuidV7 } from "../src/lib/random.js";
import type {
  ChatAttachment,
  ChatLine,
  ChatSide,
  HistoryPage,
  RoomSnapshot,
  RoomView,
  TypingView,
} from "../src/protocol/mod.js";
import type { Client } from "./client.js";
import { SwiftEatsError } from "./errors.js";

/** A message of this client that no line has confirmed yet. */
export interface OutgoingMessage {
  readonly messageId: string;
  readonly text: string;
  readonly attachments: readonly ChatAttachment[];
  /** Why it will not be said; null: it is on its way. */
  readonly refused: SwiftEatsError | null;
}

export interface ChatHandlers {
  /** Something below has changed. */
  changed?(): void;
  /** One more line, the newest. Not called for lines that a snapshot or the history brought. */
  line?(line: ChatLine): void;
  /** The room is not, or no longer, the caller's to read. */
  ended?(error: SwiftEatsError): void;
}

export interface ChatOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long a message is tried, in milliseconds. Default: twelve hours. */
  readonly ttlMs?: number;
  /** How long the socket may be away before the room is polled, and how often it is then, in milliseconds. */
  readonly patienceMs?: number;
  readonly pollMs?: number;
}

export interface Chat {
  readonly roomId: string;
  /** Oldest first, without holes, up to the newest. */
  readonly lines: readonly ChatLine[];
  /** In the order in which they were said. */
  readonly outgoing: readonly OutgoingMessage[];
  /** Null until the node has told. */
  readonly room: RoomView | null;
  /** Who writes now. */
  readonly typing: readonly ChatSide[];
  /** True while there are lines before the oldest one held. */
  readonly hasEarlier: boolean;
  /** Resolves once it is committed; without a connection it waits for one. Rejects with the node's refusal. */
  say(text: string, attachments?: readonly ChatAttachment[]): Promise<{ readonly offset: number }>;
  /** A refused message is forgotten. */
  dismiss(messageId: string): void;
  /** Everything held has been seen by a person. */
  read(): void;
  /** The person writes. Call it with every key; it is told now and then. */
  types(): void;
  /** Fetches a page of what was said before. */
  earlier(limit?: number): Promise<void>;
  stop(): void;
}

const SAY_TTL_MS = 12 * 3_600_000 - 60_000;
const TYPING_EVERY_MS = 3_000;
const READ_TTL_MS = 60_000;
const EARLIER = 50;

export function chat(client: Client, roomId: string, handlers: ChatHandlers = {}, options: ChatOptions = {}): Chat {
  const clock = options.clock ?? systemClock();
  const random = options.random ?? systemRandom();
  const ttlMs = options.ttlMs ?? SAY_TTL_MS;
  const patienceMs = options.patienceMs ?? 6_000;
  const pollMs = options.pollMs ?? 4_000;
  let lines: readonly ChatLine[] = [];
  let room: RoomView | null = null;
  let stopped = false;
  const outgoing = new Map<string, OutgoingMessage>();
  const typing = new Map<ChatSide, Cancel>();
  let toldReading = 0;
  let typedAt = Number.NEGATIVE_INFINITY;

  const changed = (): void => {
    if (!stopped) handlers.changed?.();
  };
  const top = (): number => lines.at(-1)?.offset ?? 0;
  const arrived = (line: ChatLine): void => {
    if (line.type === "chat.message") outgoing.delete(line.body.messageId);
  };

  /** One more line, unless a poll brought it before. */
  function next(line: ChatLine): void {
    if (line.offset <= top()) return;
    lines = [...lines, line];
    arrived(line);
    handlers.line?.(line);
  }

  /** What the node shows, joined to what is held if they touch. */
  function join({ lines: shown }: RoomSnapshot): void {
    const first = shown[0];
    if (first === undefined) lines = [];
    else {
      const before = lines.filter(({ offset }) => offset < first.offset);
      lines = before.at(-1)?.offset === first.offset - 1 ? [...before, ...shown] : shown;
    }
    for (const line of lines) arrived(line);
  }

  function types({ side }: TypingView, forMs: number): void {
    typing.get(side)?.();
    typing.delete(side);
    if (forMs <= 0) return;
    typing.set(
      side,
      clock.after(forMs, () => {
        typing.delete(side);
        changed();
      }),
    );
  }

  function refuse(messageId: string, error: unknown): SwiftEatsError {
    const refused = error instanceof SwiftEatsError ? error : new SwiftEatsError({ code: "network", temporary: true });
    const message = outgoing.get(messageId);
    if (message !== undefined) outgoing.set(messageId, { ...message, refused });
    changed();
    return refused;
  }

  // A page that was loaded anew, or a room that was opened anew, finds what it said before.
  for (const { type, body, idempotencyKey } of client.pending()) {
    if (type !== "chat.say" || (body as { readonly roomId?: unknown }).roomId !== roomId) continue;
    const { messageId, text, attachments } = body as unknown as Omit<OutgoingMessage, "refused">;
    outgoing.set(messageId, { messageId, text, attachments: attachments ?? [], refused: null });
    client.outcome(idempotencyKey)?.catch((error: unknown) => refuse(messageId, error));
  }

  const talk = client.subscribe(
    `room:${roomId}`,
    {
      event({ offset, type, at, body }) {
        next({ offset, type, at, body } as unknown as ChatLine);
        changed();
      },
      state({ slot, body }) {
        if (slot === "snapshot") join(body as unknown as RoomSnapshot);
        changed();
      },
      ended(error) {
        stop();
        handlers.ended?.(error);
      },
    },
    // A room has many readers: what one of them has read is told by `chat.read`.
    { manualAcknowledge: true },
  );
  const state = client.subscribe(`room-state:${roomId}`, {
    state({ slot, body, ttlMs: forMs }) {
      if (slot === "room") room = body as unknown as RoomView;
      else types(body as unknown as TypingView, forMs);
      changed();
    },
  });

  const path = `/v1/rooms/${encodeURIComponent(roomId)}`;
  let polling: AbortController | null = null;
  let waiting: Cancel | null = null;

  async function poll(by: AbortController): Promise<void> {
    try {
      const [page, view] = await Promise.all([
        client.http.get<HistoryPage>(`${path}/messages`, { limit: EARLIER }, by.signal),
        client.http.get<RoomView>(path, {}, by.signal),
      ]);
      if (by.signal.aborted) return;
      if ((room?.version ?? -1) < view.version) room = view;
      const held = top();
      // What touches what is held goes on from there; else it takes its place.
      if (held > 0 && (page.lines[0]?.offset ?? 0) <= held + 1) for (const line of page.lines) next(line);
      else if (page.lines.length > 0) join({ lines: page.lines });
      changed();
    } catch (error) {
      if (by.signal.aborted) return;
      if (error instanceof SwiftEatsError && !error.temporary) {
        stop();
        handlers.ended?.(error);
        return;
      }
    }
    waiting = clock.after(pollMs, () => void poll(by));
  }

  const follow = (): void => {
    if (client.state.name === "live" || client.state.name === "closed" || stopped) {
      polling?.abort();
      polling = null;
      waiting?.();
      waiting = null;
      return;
    }
    if (polling !== null) return;
    const by = new AbortController();
    polling = by;
    waiting = clock.after(patienceMs, () => void poll(by));
  };
  const stopListening = client.onState(follow);
  follow();

  function stop(): void {
    if (stopped) return;
    stopped = true;
    stopListening();
    follow();
    for (const cancel of typing.values()) cancel();
    talk.unsubscribe();
    state.unsubscribe();
  }

  return {
    roomId,
    get lines() {
      return lines;
    },
    get outgoing() {
      return [...outgoing.values()];
    },
    get room() {
      return room;
    },
    get typing() {
      return [...typing.keys()];
    },
    get hasEarlier() {
      return (lines[0]?.offset ?? 1) > 1;
    },
    async say(text, attachments = []) {
      const messageId = uuidV7(client.serverNow(), random);
      outgoing.set(messageId, { messageId, text, attachments, refused: null });
      typedAt = Number.NEGATIVE_INFINITY;
      changed();
      const body = { roomId, messageId, text, ...(attachments.length === 0 ? {} : { attachments: [...attachments] }) };
      try {
        const { offset } = await client.command("chat.say", body, { idempotencyKey: messageId, ttlMs });
        return { offset };
      } catch (error) {
        throw refuse(messageId, error);
      }
    },
    dismiss(messageId) {
      if (outgoing.get(messageId)?.refused === null) return;
      outgoing.delete(messageId);
      changed();
    },
    read() {
      const offset = top();
      if (stopped || offset <= toldReading) return;
      toldReading = offset;
      client.command("chat.read", { roomId, offset }, { ttlMs: READ_TTL_MS }).catch(() => {
        // It is told with the next line that is read.
        if (toldReading === offset) toldReading = 0;
      });
    },
    types() {
      const now = clock.monotonic();
      if (stopped || now - typedAt < TYPING_EVERY_MS || client.state.name !== "live") return;
      typedAt = now;
      client.command("chat.typing", { roomId }, { ttlMs: TYPING_EVERY_MS }).catch(() => undefined);
    },
    async earlier(limit = EARLIER) {
      const before = lines[0]?.offset ?? Number.MAX_SAFE_INTEGER;
      if (before <= 1) return;
      const page = await client.http.get<HistoryPage>(`${path}/messages`, { before, limit });
      const first = lines[0]?.offset;
      // Meanwhile a snapshot may have taken the place of what was held.
      if (stopped || (first !== undefined && page.lines.at(-1)?.offset !== first - 1)) return;
      lines = [...page.lines, ...lines];
      changed();
    },
    stop,
  };
}

/** The caller's room with support, about one of their orders or about nothing in particular. */
export function openSupportRoom(client: Pick<Client, "http">, orderId?: string): Promise<RoomView> {
  return client.http.send("POST", "/v1/me/support-room", orderId === undefined ? {} : { orderId });
}

/** The room of an order's customer and driver, from the pickup until a while after the delivery. */
export function openTripRoom(client: Pick<Client, "http">, orderId: string): Promise<RoomView> {
  return client.http.send("POST", `/v1/orders/${encodeURIComponent(orderId)}/room`);
}

/** The number by which an order's customer and driver reach each other. */
export function contactNumber(client: Pick<Client, "http">, orderId: string): Promise<{ readonly number: string }> {
  return client.http.get(`/v1/orders/${encodeURIComponent(orderId)}/contact`);
}

/** The agents' queue, live: conversations that wait, those that have waited longest first, and those that have an agent. */
export function watchQueue(
  client: Client,
  handlers: { changed(rooms: readonly RoomView[]): void; ended?(error: SwiftEatsError): void },
): { stop(): void } {
  const rooms = new Map<string, RoomView>();
  const waits = ({ waitingSince }: RoomView): number => waitingSince ?? Number.POSITIVE_INFINITY;
  const tell = (): void =>
    handlers.changed([...rooms.values()].sort((a, b) => waits(a) - waits(b) || a.openedAt - b.openedAt));
  const subscription = client.subscribe("agents:all", {
    subscribed() {
      rooms.clear();
      tell();
    },
    state({ slot, body }) {
      if (body === null) rooms.delete(slot);
      else rooms.set(slot, body as unknown as RoomView);
      tell();
    },
    ...(handlers.ended === undefined ? {} : { ended: handlers.ended }),
  });
  return { stop: () => subscription.unsubscribe() };
}
