/** What a node keeps about people outside their accounts, so that erasing one finds all of it. */
import type { ActorClient, ActorStore } from "../actors/runtime/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Random } from "../lib/random.js";
import type { PersonalRecords } from "../services/accounts/mod.js";
import { roomForgetter } from "../services/chat/mod.js";
import type { DeviceService } from "../services/devices/mod.js";
import type { HistoryService } from "../services/history/mod.js";
import type { NotificationStore } from "../services/notifications/mod.js";
import { type Deliveries, driverForgetter, orderForgetter } from "../services/orders/mod.js";
import type { MethodService } from "../services/payments/mod.js";
import type { RatingStore } from "../services/ratings/mod.js";

export function personalRecords(deps: {
  readonly client: ActorClient;
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly history: HistoryService;
  readonly ratings: Pick<RatingStore, "eraseAuthor">;
  readonly methods: Pick<MethodService, "removeAll">;
  readonly devices: Pick<DeviceService, "forget">;
  readonly notifications: Pick<NotificationStore, "erase">;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly random: Random;
}): readonly PersonalRecords[] {
  const { client, index, history, ratings, methods, devices, notifications, deliveries, clock, random } = deps;
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
      async forget({ id }) {
        // An order that is open may yet have to be paid with the other method.
        if (!(await forgetOrders(id))) return false;
        await methods.removeAll(id);
        return true;
      },
    },
    { name: "conversation", forget: ({ id }) => forgetRooms(id) },
    {
      name: "reviews",
      async forget({ id }) {
        await ratings.eraseAuthor("customer", id);
        await ratings.eraseAuthor("driver", id);
        return true;
      },
    },
    {
      name: "notifications",
      async forget({ id }) {
        await notifications.erase({ role: "customer", principalId: id });
        await notifications.erase({ role: "driver", principalId: id });
        return true;
      },
    },
    {
      name: "devices",
      async forget({ id }) {
        await devices.forget(id);
        return true;
      },
    },
  ];
}
