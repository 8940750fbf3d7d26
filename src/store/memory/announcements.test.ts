import t from "tap";
import { announcementStoreContract } from "../contract/announcements.contract.js";
import { createMemoryAnnouncementStore } from "./mod.js";

t.test("announcements in memory keep the contract", (t) =>
  announcementStoreContract(t, async () => createMemoryAnnouncementStore()),
);
