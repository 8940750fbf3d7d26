import t from "tap";
import { deviceStoreContract } from "../contract/devices.contract.js";
import { createMemoryDeviceStore } from "./mod.js";

t.test("devices in memory keep the contract", (t) => deviceStoreContract(t, async () => createMemoryDeviceStore()));
