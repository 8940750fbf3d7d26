/**
 * A line of the storm to a node of ours: a tablet that listens to its restaurant's inbox, by the client library that apps
 * use, over a lean socket. Every event is an order: `publish` places it, the tablets hear `order.new`, and the first tablet
 * of each restaurant refuses it, which all hear as `order.changed`. Nothing is there for the benchmark alone.
 */
import { type Client, createClient, createHttp, type Http } from "../../sdk/mod.js";
import type { RawSocket } from "../load/raw-socket.js";
import type { StormAdapterMaker } from "../peers/ports.js";
import { rawWebSocket } from "./raw-web-socket.js";
import { CENTER, restaurantOf, type TabletTokens } from "./stage-tablets.js";

interface Position {
  readonly epoch: number;
  readonly offset: number;
}
/** What a tablet keeps over a break. */
interface Kept {
  readonly position: Position | null;
  /** Orders to be refused whose answer has not come. */
  readonly unanswered: readonly string[];
}

const NOTHING: Kept = { position: null, unanswered: [] };
const PRICE_MINOR = 1200;

export const storm: StormAdapterMaker = (address, note, { channels }) => {
  const url = `http://${address.host}:${address.port}`;
  const { tablets, customers } = note as TabletTokens;
  const buyers: readonly Http[] = customers.map((token) => createHttp({ url, token }));
  let placed = 0;
  return {
    open({ index, channel, resume }, heard) {
      const kept = (resume ?? NOTHING) as Kept;
      const unanswered = new Set(kept.unanswered);
      const isFirst = index === channel;
      let socket: RawSocket | null = null;
      let over = false;
      const client: Client = createClient({
        url,
        token: tablets[channel]!,
        deviceId: `tablet-${Math.floor(index / channels)}`,
        WebSocket: rawWebSocket((opened) => {
          socket = opened;
        }),
      });
      const refuse = (orderId: string): void => {
        unanswered.add(orderId);
        client
          .command("order.reject", { orderId, reason: "too busy" }, { idempotencyKey: `reject-${orderId}` })
          .catch(() => undefined)
          .then(() => {
            if (!over) unanswered.delete(orderId);
          });
      };
      /** Behind, until this offset has been heard. */
      let target: number | null = null;
      let place = kept.position?.offset ?? 0;
      const caughtUp = (): void => {
        if (target === null || place < target) return;
        target = null;
        heard.live(true);
      };
      const subscription = client.subscribe(
        `restaurant:${restaurantOf(channel)}`,
        {
          subscribed({ top, recovered }) {
            target = recovered ? top : null;
            if (!recovered) place = top;
            caughtUp();
          },
          // The snapshot: what stands on the tablet of one that could not go on where it was.
          state: () => heard.live(false),
          event({ offset, type, body }) {
            place = offset;
            const { orderId, note: text, attempt } = body as { orderId: string; note?: string; attempt?: number };
            const isNew = type === "order.new";
            heard.event(offset, isNew && attempt === 1 ? Number(text) : null);
            if (isFirst && isNew && !unanswered.has(orderId)) refuse(orderId);
            caughtUp();
          },
          ended: (error) => heard.closed(`subscription: ${error.code}`),
        },
        kept.position === null ? {} : { from: kept.position },
      );
      client.onState((state) => {
        if (over) return;
        if (state.name === "waiting" || state.name === "closed") heard.closed(`closed with ${state.code}`);
      });
      client.connect();
      for (const orderId of kept.unanswered) refuse(orderId);
      return {
        cut(): Kept {
          const position = subscription.position() ?? kept.position;
          over = true;
          socket?.cut();
          const answers = [...unanswered];
          client.close();
          return { position, unanswered: answers };
        },
        close() {
          over = true;
          client.close();
        },
      };
    },
    async publish(channel, number) {
      const customer = placed++ % buyers.length;
      await buyers[customer]!.placeOrder(
        {
          restaurantId: restaurantOf(channel),
          lines: [{ itemId: "dish", quantity: 1, unitPriceMinor: PRICE_MINOR }],
          destination: { lat: CENTER.lat + 0.01, lng: CENTER.lng + 0.01 },
          currency: "EUR",
          note: String(number),
        },
        { idempotencyKey: `storm-${channel}-${number}` },
      );
    },
    close: async () => undefined,
  };
};
