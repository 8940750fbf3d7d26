/** What a node keeps about people outside their accounts, so that erasing one, and giving them a copy, finds all of it. */
import type { ActorClient, ActorStore } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Random } from "../lib/random.js";
import type { PersonalRecords } from "../services/accounts/mod.js";
import { type ChatHistory, roomForgetter, saidReader } from "../services/chat/mod.js";
import type { DeadLetterStore } from "../services/dead-letters/mod.js";
import type { DeviceService } from "../services/devices/mod.js";
import type { HistoryService } from "../services/history/mod.js";
import type { NotificationStore } from "../services/notifications/mod.js";
import { type Deliveries, driverForgetter, orderForgetter } from "../services/orders/mod.js";
import type { MethodService } from "../services/payments/mod.js";
import type { RatingStore } from "../services/ratings/mod.js";

/** Of each kind, in one copy. */
const MOST_KEPT = 10_000;
const PAGE = 100;

export function personalRecords(deps: {
  readonly client: ActorClient;
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly history: HistoryService;
  readonly talk: ChatHistory;
  readonly ratings: Pick<RatingStore, "eraseAuthor" | "writtenBy">;
  readonly methods: Pick<MethodService, "list" | "removeAll">;
  readonly devices: Pick<DeviceService, "forget" | "of">;
  readonly notifications: Pick<NotificationStore, "devices" | "erase" | "list" | "wishes">;
  readonly deadLetters: Pick<DeadLetterStore, "erase">;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly random: Random;
}): readonly PersonalRecords[] {
  const { client, index, history, talk, ratings, methods, devices, notifications } = deps;
  const { deadLetters, deliveries, clock, random } = deps;
  const saidBy = saidReader({ index, history: talk });
  const forgetRooms = roomForgetter({ client, index, clock, random });
  const forgetOrders = orderForgetter({ client, pages: history, clock, random });
  const forgetDriver = driverForgetter({ client, deliveries, clock, random });
  return [
    {
      name: "deliveries",
      async forget({ roles }) {
        for (const { role, principalId } of roles) {
          if (role === "driver" && !(await forgetDriver(principalId))) return false;
        }
        return true;
      },
    },
    {
      name: "orders and what they are paid with",
      kept: async ({ id }) => ({
        orderNotes: await notesOf(index, id),
        paymentMethods: (await methods.list(id)).map(({ id: methodId, label, at }) => ({ methodId, label, at })),
      }),
      async forget({ id }) {
        // An order that is open may yet have to be paid with the other method.
        if (!(await forgetOrders(id))) return false;
        await methods.removeAll(id);
        return true;
      },
    },
    {
      name: "conversation",
      kept: async ({ id }) => ({ conversation: await saidBy(id) }),
      forget: ({ id }) => forgetRooms(id),
    },
    {
      name: "reviews",
      async kept({ id }) {
        const written = [
          ...(await ratings.writtenBy("customer", id, MOST_KEPT)),
          ...(await ratings.writtenBy("driver", id, MOST_KEPT)),
        ];
        return {
          reviews: written.map(({ reviewId, orderId, rated, stars, text, at }) => ({
            reviewId,
            orderId,
            rated,
            stars,
            text,
            at,
          })),
        };
      },
      async forget({ id }) {
        await ratings.eraseAuthor("customer", id);
        await ratings.eraseAuthor("driver", id);
        return true;
      },
    },
    {
      name: "notifications",
      async kept({ id }) {
        const recipients = [
          { role: "customer", principalId: id },
          { role: "driver", principalId: id },
        ] as const;
        const phones = (await Promise.all(recipients.map((one) => notifications.devices(one)))).flat();
        const wishes = await Promise.all(recipients.map((one) => notifications.wishes(one)));
        return {
          notificationWishes: wishes.filter((wish) => wish !== null),
          notificationDevices: phones.map(({ deviceId, since }) => ({ deviceId, since })),
          notifications: await notifications.list({ principalId: id }, Number.MAX_SAFE_INTEGER, MOST_KEPT),
        };
      },
      async forget({ id }) {
        await notifications.erase({ role: "customer", principalId: id });
        await notifications.erase({ role: "driver", principalId: id });
        return true;
      },
    },
    {
      // What they asked for in vain may say anything, and is not to be done any more.
      name: "deadLetters",
      async forget({ id }) {
        await deadLetters.erase({ role: "customer", id });
        await deadLetters.erase({ role: "driver", id });
        return true;
      },
    },
    {
      name: "devices",
      async kept({ id }) {
        const own = await devices.of(id);
        return {
          trackingDevices: own.map(({ deviceId, label, createdAt, revokedAt }) => ({
            deviceId,
            label,
            createdAt,
            ...(revokedAt === null ? {} : { revokedAt }),
          })),
        };
      },
      async forget({ id }) {
        await devices.forget(id);
        return true;
      },
    },
  ];
}

/** What a customer wrote for the kitchen and the door; views of orders do not have it. */
async function notesOf(index: Pick<ActorStore, "queryIndex">, customerId: string): Promise<readonly object[]> {
  const notes: object[] = [];
  let from = { at: 0, key: "" };
  for (let seen = 0; seen < MOST_KEPT; seen += PAGE) {
    const rows = await index.queryIndex({ kind: "order", owner: customerId, from, limit: PAGE });
    for (const { key, view } of rows) {
      const { note } = view as { readonly note?: string | null };
      if (note !== null && note !== undefined) notes.push({ orderId: key, note });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) break;
    from = { at: last.at, key: last.key };
  }
  return notes;
}
