import t from "tap";
import { noticesContract } from "../contract/notices.contract.js";
import { createMemoryNotices } from "./mod.js";

t.test("notices in memory keep the contract", (t) =>
  noticesContract(t, async () => {
    const notices = createMemoryNotices();
    return {
      open: () => notices.open(),
      cut: async () => notices.cut(),
      join: async () => notices.join(),
    };
  }),
);
