/** The peers of each scenario. */
import type { Peers } from "./ports.js";

export const peers: Peers = {
  gps: [],
  fanout: [],
  connect: [],
  orders: [],
  menu: [],
  poll: [],
  mailbox: [
    {
      name: "nact",
      what: "nact 7: counters and a sprayer in one thread; asks in the same thread",
      program: new URL("./actors/nact.js", import.meta.url),
      nodeOptions: ["--expose-gc"],
    },
    {
      name: "xstate",
      what: "XState 5: transition actors of one system in one thread, its production build; asks in the same thread",
      program: new URL("./actors/xstate.js", import.meta.url),
      nodeOptions: ["--expose-gc"],
    },
  ],
  storm: [],
};
