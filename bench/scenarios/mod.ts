/** The scenarios, in the order in which they run. */
import type { Scenario } from "../harness/ports.js";
import { commit } from "./commit.js";
import { connect } from "./connect.js";
import { failover } from "./failover.js";
import { fanout } from "./fanout.js";
import { gps } from "./gps.js";
import { mailbox } from "./mailbox.js";
import { menu } from "./menu.js";
import { orders } from "./orders.js";
import { poll } from "./poll.js";
import { search } from "./search.js";
import { storm, tablets } from "./storm.js";

export const SCENARIOS: readonly Scenario[] = [
  gps,
  fanout,
  orders,
  commit,
  menu,
  search,
  poll,
  connect,
  failover,
  mailbox,
  storm,
  tablets,
];
