/** The peers of each scenario. */
import type { Peers } from "./ports.js";

export const peers: Peers = {
  gps: [],
  fanout: [],
  connect: [],
  orders: [],
  menu: [],
  poll: [],
  mailbox: [],
  storm: [],
};
