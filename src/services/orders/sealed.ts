/**
 * Whose door it is, at rest: the words of an address and a note to the door are sealed before an order's actor hears of
 * them, and opened when a gateway gets an order to show. Between the two — in snapshots, messages, events, the index,
 * the mirror, on the way between nodes, in backups — they are sealed texts that nobody looks into. The point stays in the
 * clear, because matching, fees and arrival are calculated from it.
 *
 * Invariants: a sealed text opens only as part of the order it was sealed for; a client cannot hand one in, because what
 * it says is sealed again, and opened once; what does not open is shown as nothing.
 */
import type {
  ActorClient,
  ActorStore,
  AskResult,
  ChannelSink,
  MirrorEntry,
  MirrorPort,
} from "../../actors/runtime/mod.js";
import type { Json } from "../../lib/json.js";
import type { TextSeal } from "../../lib/sealed-text.js";
import { GPS } from "../../protocol/mod.js";
import type { PlaceInput } from "./mod.js";

const MARK = "sealed:";
const SEALED = /^sealed:(v\d+\.[0-9a-f]{8}\.[\w-]+)$/;
/** What has no words of a customer's, and much of it. */
const PLAIN: ReadonlySet<string> = new Set(["timeline", "lines", "totals", "restaurant", "eta", "etaHistory"]);
/** Channels that show orders: its own, the tablet's, the driver's. */
const CHANNELS: ReadonlySet<string> = new Set(["order view", "restaurant inbox", "driver work"]);

const contextOf = (orderId: string): string => `order/${orderId}`;

export interface OrderSeal {
  place(orderId: string, input: PlaceInput): PlaceInput;
  /** The same value where nothing in it is sealed. `orderId`: of what does not name its order itself. */
  open<T>(value: T, orderId: string | null): T;
}

export function createOrderSeal(texts: TextSeal): OrderSeal {
  const sealed = (orderId: string, text: string): string => MARK + texts.seal(text, contextOf(orderId));

  function opened(text: string, orderId: string | null): string {
    const form = text.startsWith(MARK) ? SEALED.exec(text) : null;
    if (form === null) return text;
    if (orderId === null) return "";
    try {
      return texts.open(form[1]!, contextOf(orderId));
    } catch {
      return "";
    }
  }

  /** What names its order, opened: the same view comes in several messages. It lives no longer than the sealed one. */
  const views = new WeakMap<object, object>();

  function open(value: unknown, orderId: string | null): unknown {
    if (typeof value === "string") return opened(value, orderId);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      let copy: unknown[] | null = null;
      for (const [i, each] of value.entries()) {
        const next = open(each, orderId);
        if (next === each) continue;
        copy ??= [...value];
        copy[i] = next;
      }
      return copy ?? value;
    }
    const fields = value as Readonly<Record<string, unknown>>;
    const isView = typeof fields.orderId === "string";
    const known = isView ? views.get(value) : undefined;
    if (known !== undefined) return known;
    const whose = isView ? (fields.orderId as string) : orderId;
    let copy: Record<string, unknown> | null = null;
    for (const name in fields) {
      if (PLAIN.has(name)) continue;
      const next = open(fields[name], whose);
      if (next === fields[name]) continue;
      copy ??= { ...fields };
      copy[name] = next;
    }
    if (isView && copy !== null) views.set(value, copy);
    return copy ?? value;
  }

  return {
    place(orderId, input) {
      const { destination, note } = input;
      const { address } = destination;
      return {
        ...input,
        ...(address === undefined ? {} : { destination: { ...destination, address: sealed(orderId, address) } }),
        ...(note === undefined ? {} : { note: sealed(orderId, note) }),
      };
    },
    open: <T>(value: T, orderId: string | null) => open(value, orderId) as T,
  };
}

/** The client of a gateway: seals what is placed, opens what is heard. Several who hear the same item get the same one. */
export function sealedClient<C extends ActorClient>(
  client: C,
  seal: OrderSeal,
): Pick<ActorClient, "ask" | "askThen" | "cast" | "subscribe"> {
  const items = new WeakMap<object, object>();
  function openItem<Item extends { readonly body: Json }>(item: Item, orderId: string | null): Item {
    const known = items.get(item);
    if (known !== undefined) return known as Item;
    const body = seal.open(item.body, orderId);
    const opened = body === item.body ? item : { ...item, body };
    items.set(item, opened);
    return opened;
  }
  const openingSink = (sink: ChannelSink, orderId: string | null): ChannelSink => ({
    subscribed: (start) =>
      sink.subscribed({
        ...start,
        events: start.events.map((item) => openItem(item, orderId)),
        slots: start.slots.map((item) => openItem(item, orderId)),
      }),
    event: (item) => sink.event(openItem(item, orderId)),
    slot: (item) => sink.slot(openItem(item, orderId)),
    ended: (error) => sink.ended(error),
  });
  const given = <I>(kind: string, key: string, name: string, input: I): I =>
    kind === "order" && name === "place" ? (seal.place(key, input as unknown as PlaceInput) as unknown as I) : input;
  const opened = <R>(kind: string, key: string, answer: AskResult<R>): AskResult<R> =>
    answer.ok ? { ok: true, value: seal.open(answer.value, kind === "order" ? key : null) } : answer;
  return {
    async ask(to, key, name, input, options) {
      const answer = await client.ask(to, key, name, given(to.kind, key, name, input), options);
      return opened(to.kind, key, answer);
    },
    askThen(to, key, name, input, options, answered) {
      // Thousands a second, and neither the positions nor their acknowledgements hold a word.
      if (to.kind === GPS.actor && name === GPS.name) {
        client.askThen(to, key, name, input, options, answered);
        return;
      }
      client.askThen(to, key, name, given(to.kind, key, name, input), options, (answer) =>
        answered(opened(to.kind, key, answer)),
      );
    },
    cast: (to, key, name, input, caller) => client.cast(to, key, name, input, caller),
    subscribe(channel, caller, from, sink) {
      if (!CHANNELS.has(`${channel.kind} ${channel.channel}`)) return client.subscribe(channel, caller, from, sink);
      return client.subscribe(channel, caller, from, openingSink(sink, channel.kind === "order" ? channel.key : null));
    },
  };
}

/** The index, with the orders in it as they may be shown. */
export function openedIndex(index: Pick<ActorStore, "queryIndex">, seal: OrderSeal): Pick<ActorStore, "queryIndex"> {
  return {
    async queryIndex(query) {
      const rows = await index.queryIndex(query);
      return query.kind === "order" ? rows.map((row) => ({ ...row, view: seal.open(row.view, row.key) })) : rows;
    },
  };
}

/** Views of orders as they come out of the mirror. */
export const openedEntry = <E extends MirrorEntry | null>(entry: E, seal: OrderSeal): E =>
  entry?.key.startsWith("view:") ? { ...entry, value: seal.open(entry.value, null) } : entry;

export const openedMirror = (mirror: Pick<MirrorPort, "read">, seal: OrderSeal): Pick<MirrorPort, "read"> => ({
  read: async (keys) => (await mirror.read(keys)).map((entry) => openedEntry(entry, seal)),
});
