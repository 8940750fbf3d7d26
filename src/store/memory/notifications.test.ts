import t from "tap";
import { notificationStoreContract } from "../contract/notifications.contract.js";
import { createMemoryNotificationStore } from "./mod.js";

t.test("notifications in memory keep the contract", (t) =>
  notificationStoreContract(t, async () => createMemoryNotificationStore()),
);
