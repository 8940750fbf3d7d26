/** Customers, tablets and drivers of the order flow: what they ask goes over HTTP, what they hear comes over their lines. */
import { Agent, request } from "node:http";
import { systemClock } from "../../../src/lib/clock.js";
import { openSocketIo, type SocketIoLine } from "../lib/socket-io-client.js";
import { ORDER_MINOR, type OrdersAdapter, type OrderTimes } from "../ports.js";
import { CENTER, DISH, PRICE_MINOR, restaurantOf } from "./seed.js";
import { type Role, tokenOf } from "./tokens.js";

const clock = systemClock();
/** What a step that somebody takes for us may last: the driver's acceptance, the payment. */
const PATIENCE_MS = 60_000;

interface Underway {
  readonly dueAt: number;
  readonly customer: number;
  placedMs: number;
  resolve(times: OrderTimes): void;
  reject(cause: Error): void;
}

export const orders: OrdersAdapter = {
  async open(address, plan) {
    const agent = new Agent({ keepAlive: true, maxSockets: 512 });
    const lines: SocketIoLine[] = [];
    const underway = new Map<string, Underway>();
    const tokens = new Map<string, string>();
    const tokenFor = (role: Role, id: string): string => {
      const name = `${role} ${id}`;
      const token = tokens.get(name) ?? tokenOf({ id, role });
      tokens.set(name, token);
      return token;
    };
    function post(role: Role, id: string, path: string, body: unknown = {}, key = path): Promise<unknown> {
      const text = JSON.stringify(body);
      return new Promise((resolve, reject) => {
        const asked = request(
          {
            ...address,
            path,
            method: "POST",
            agent,
            headers: {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(text),
              authorization: `Bearer ${tokenFor(role, id)}`,
              "idempotency-key": key,
            },
          },
          (response) => {
            const parts: Buffer[] = [];
            response.on("data", (part: Buffer) => parts.push(part));
            response.once("error", reject);
            response.once("end", () => {
              const answer = Buffer.concat(parts).toString();
              const isDone = (response.statusCode ?? 0).toString().startsWith("2");
              if (isDone) resolve(JSON.parse(answer));
              else reject(new Error(`POST ${path} answered ${response.statusCode}: ${answer}`));
            });
          },
        );
        asked.once("error", reject);
        asked.end(text);
      });
    }
    function line(role: Role, id: string, onEvent: (name: string, body: unknown) => void): Promise<SocketIoLine> {
      return new Promise((resolve, reject) => {
        const heard = new Set<number>();
        const opened = openSocketIo({
          ...address,
          auth: { token: tokenFor(role, id) },
          recovery: null,
          onConnect: () => resolve(opened),
          onEvent(name, body) {
            const { keptAs } = body as { readonly keptAs?: number };
            if (keptAs !== undefined) {
              opened.emit("heard", keptAs);
              if (heard.has(keptAs)) return;
              heard.add(keptAs);
            }
            onEvent(name, body);
          },
          onClose: (reason) => reject(new Error(`${role} ${id}: ${reason}`)),
        });
        lines.push(opened);
      });
    }
    /** A step of one order: when it fails, the order has failed. */
    const or = (orderId: string, work: Promise<unknown>): void => {
      work.catch((cause: unknown) => {
        underway.get(orderId)?.reject(cause instanceof Error ? cause : new Error(String(cause)));
        underway.delete(orderId);
      });
    };
    /** Of each order: whether it is ready and whether its driver knows. Both: it is collected. */
    const halves = new Map<string, { isReady: boolean; driverId: string | null }>();
    const collect = (orderId: string, change: { isReady?: true; driverId?: string }): void => {
      const half = halves.get(orderId) ?? { isReady: false, driverId: null };
      Object.assign(half, change);
      halves.set(orderId, half);
      const { driverId } = half;
      if (!half.isReady || driverId === null) return;
      halves.delete(orderId);
      const path = `/v1/drivers/me/orders/${orderId}`;
      or(
        orderId,
        post("driver", driverId, `${path}/pickup`).then(() => post("driver", driverId, `${path}/deliver`)),
      );
    };

    await Promise.all(
      Array.from({ length: plan.restaurants }, async (_, i) => {
        const id = restaurantOf(i);
        await line("restaurant", id, (name, body) => {
          if (name !== "order.new") return;
          const { orderId } = body as { readonly orderId: string };
          const work = post("restaurant", id, `/v1/orders/${orderId}/accept`)
            .then(() => post("restaurant", id, `/v1/orders/${orderId}/ready`))
            .then(() => collect(orderId, { isReady: true }));
          or(orderId, work);
        });
      }),
    );
    await Promise.all(
      Array.from({ length: plan.drivers }, async (_, i) => {
        const id = `driver-${i}`;
        const opened = await line("driver", id, (name, body) => {
          const { offerId, orderId } = body as { readonly offerId?: string; readonly orderId: string };
          // Of several offers a driver gets one. The others' orders ask somebody else: no order hangs on an answer.
          if (name === "offer.made")
            post("driver", id, `/v1/drivers/me/offers/${offerId}/accept`).catch(() => undefined);
          else if (name === "trip.changed") collect(orderId, { driverId: id });
        });
        const angle = i * 2.399963;
        const radius = 0.04 * Math.sqrt((i + 0.5) / plan.drivers);
        const [lat, lng] = [CENTER.lat + radius * Math.sin(angle), CENTER.lng + radius * Math.cos(angle)];
        // Where the driver is, before the driver is free: otherwise nobody finds them.
        await new Promise<void>((resolve) =>
          opened.emit("fix", { sequence: 1, at: clock.now(), lat, lng }, () => resolve()),
        );
        await post("driver", id, "/v1/drivers/me/online", { name: `Driver ${i}`, vehicle: "motorcycle" });
      }),
    );
    const customers = await Promise.all(
      Array.from({ length: plan.customers }, (_, i) =>
        line("customer", `customer-${i}`, (name, body) => {
          const { orderId, status } = body as { readonly orderId: string; readonly status: string };
          if (name === "view" && status === "delivered") finished(orderId);
        }),
      ),
    );
    function finished(orderId: string): void {
      const order = underway.get(orderId);
      if (order === undefined) return;
      underway.delete(orderId);
      order.resolve({ placedMs: order.placedMs, deliveredMs: clock.monotonic() - order.dueAt });
    }

    return {
      async order(number, customer, dueAt) {
        const id = `customer-${customer}`;
        const restaurant = number % plan.restaurants;
        const placing = {
          restaurantId: restaurantOf(restaurant),
          lines: [{ itemId: DISH, quantity: 1, unitPriceMinor: PRICE_MINOR }],
          destination: { lat: CENTER.lat + 0.01, lng: CENTER.lng + 0.01 },
          currency: "EUR",
        };
        const answer = (await post("customer", id, "/v1/orders", placing, `order-${number}`)) as {
          readonly orderId: string;
          readonly totals: { readonly totalMinor: number };
        };
        const { orderId } = answer;
        const placedMs = clock.monotonic() - dueAt;
        if (answer.totals.totalMinor !== ORDER_MINOR)
          throw new Error(`Order ${number} costs ${answer.totals.totalMinor}.`);
        return new Promise<OrderTimes>((resolve, reject) => {
          const late = clock.after(PATIENCE_MS, () => {
            underway.delete(orderId);
            reject(new Error(`Order ${number} was not delivered within ${PATIENCE_MS} ms.`));
          });
          const settle =
            <T>(how: (value: T) => void) =>
            (value: T): void => {
              late();
              how(value);
            };
          underway.set(orderId, { dueAt, customer, placedMs, resolve: settle(resolve), reject: settle(reject) });
          customers[customer]!.emit("follow", orderId, (reply) => {
            const { view } = reply as { readonly view?: { readonly status: string } };
            // It may have been faster than we.
            if (view?.status === "delivered") finished(orderId);
          });
        });
      },
      async close() {
        for (const each of lines) each.close();
        agent.destroy();
      },
    };
  },
};
