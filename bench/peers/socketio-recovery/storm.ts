/** A line of the storm to Socket.IO with connection state recovery: what its own client does on the line, with less. */
import { Agent, request } from "node:http";
import { openSocketIo, type Recovery, type SocketIoLine } from "../lib/socket-io-client.js";
import type { StormAdapterMaker } from "../ports.js";

interface Event {
  readonly position: number;
  readonly type: string;
  readonly body: { readonly number: number };
}
/** What a client of ours keeps over a break, and a client of theirs too. */
interface Kept {
  readonly recovery: Recovery | null;
  readonly position: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const nameOf = (channel: number): string => `kitchen-${channel}`;

/** As large as what a tablet of ours is told of a new order. */
const dishes = (number: number) => ({
  number,
  orderId: number.toString(16).padStart(32, "0"),
  attempt: 1,
  lines: [{ itemId: "dish", quantity: 1, unitPriceMinor: 1200, name: "Dish of the day" }],
  totals: {
    currency: "EUR",
    itemsMinor: 1200,
    feeMinor: 0,
    taxMinor: 0,
    tipMinor: 0,
    discountMinor: 0,
    totalMinor: 1200,
  },
  note: String(number),
  placedAt: 1_700_000_000_000,
  acceptBy: 1_700_000_090_000,
});

export const storm: StormAdapterMaker = (address) => ({
  open({ channel, resume }, heard) {
    const kept = (resume ?? { recovery: null, position: 0 }) as Kept;
    let { position } = kept;
    /** Live events that came before the past did; null: none is to be waited for. */
    let early: Event[] | null = null;
    const take = (event: Event): void => {
      position = Math.max(position, event.position);
      heard.event(event.position, event.body.number);
    };
    const line: SocketIoLine = openSocketIo({
      ...address,
      auth: { channel: nameOf(channel), position },
      recovery: kept.recovery,
      onConnect(recovered) {
        if (recovered) heard.live(true);
        else early = [];
      },
      onEvent(name, body) {
        if (name === "missed") {
          const known = new Set((body as Event[]).map((event) => event.position));
          for (const event of body as Event[]) take(event);
          for (const event of early ?? []) if (!known.has(event.position)) take(event);
          early = null;
          heard.live(false);
        } else if (early === null) take(body as Event);
        else early.push(body as Event);
      },
      onClose: (reason) => heard.closed(reason),
    });
    return { cut: (): Kept => ({ recovery: line.cut(), position }), close: () => line.close() };
  },
  publish(channel, number) {
    const body = JSON.stringify({ channel: nameOf(channel), type: "order.new", body: dishes(number) });
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...address,
          path: "/events",
          method: "POST",
          agent,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          response.resume();
          response.once("end", resolve);
          response.once("error", reject);
        },
      );
      asked.once("error", reject);
      asked.end(body);
    });
  },
  async close() {
    agent.destroy();
  },
});
