/**
 * `storm`: thousands of lines that break and come back while something is said on them, beside Socket.IO with connection
 * state recovery: an event is one command, one commit and twenty pushes on either side. `tablets`: the same lines as
 * restaurants' tablets, where every event is a whole order, which nothing stands beside.
 */
import type { Look, RunningSide, Scenario, Side, Stage } from "../harness/ports.js";
import { peers } from "../peers/mod.js";
import type { StormPlan } from "../peers/ports.js";
import { argumentsFor } from "../storm/people.js";
import { type Listeners, stormOnOurs, stormOnPeer } from "../storm/side.js";
import { startOurs } from "./our-node.js";

const SOCKETS = 5_000;
const LINES_A_CHANNEL = 20;
const EVERY_MS = 15_000;
const AWAY_MS = 2_000;
/** With twenty lines a channel, each line hears an event of the storm every two seconds, and as often an answer to one. */
const EVENTS_PER_SECOND = 125;

export function stormPlan(stage: Pick<Stage, "scaled">): StormPlan {
  const sockets = stage.scaled(SOCKETS, LINES_A_CHANNEL);
  return {
    sockets,
    channels: Math.max(1, Math.round(sockets / LINES_A_CHANNEL)),
    everyMs: EVERY_MS,
    awayMs: AWAY_MS,
    eventsPerSecond: stage.scaled(EVENTS_PER_SECOND),
    seed: 1,
  };
}

const PEER = "socket.io recovery";
/** No machine brings back what was missed by itself: what is compared with stands beside it. */
const ratio = (look: Look): number | null => {
  const [ours, theirs] = [look("ours", "replayP95Ms"), look(PEER, "replayP95Ms")];
  return ours === null || theirs === null ? null : ours / theirs;
};

async function startStorm(stage: Stage, listeners: Listeners): Promise<RunningSide> {
  const plan = stormPlan(stage);
  const ours = await startOurs(stage, { args: argumentsFor(plan) });
  const { url, operatorSecret } = ours.target.nodes[0]!;
  const gauges = (): ReturnType<typeof ours.gauges> => ours.gauges();
  const node = { url, operatorSecret, pids: ours.pids, gauges, stop: () => ours.stop() };
  return stormOnOurs(plan, node, listeners);
}

const LIKE_A_STORM = {
  loads: ["storm"],
  operation: "event delivered",
  // The program beside ours keeps thirty seconds of events for those who return, and searches them: it is to have them
  // all, and to be warm. With ten seconds it was slower by up to a third.
  warmUpSeconds: 60,
  lagBoundMs: 100,
  withoutIdle: false,
  apart: true,
  rounds: 1,
  // A line breaks every fifteen seconds.
  leastSeconds: 60,
  remarks: [
    "At least a minute, whatever `--seconds` says: a line is away two seconds of every fifteen.",
    "One round: it has four breaks of every line.",
    "One side stands at a time: five thousand idle lines and their heartbeats would be a load on the other.",
  ],
} as const;
const DELIVERED = {
  what: "delivered, in order, once",
  unit: "%",
  better: "higher",
  atLeast: 100,
  ambition: 100,
  value: (look: Look) => look("ours", "deliveredPercent"),
} as const;

export const storm: Scenario = {
  ...LIKE_A_STORM,
  name: "storm",
  what: "Lines that are away about 2 s of every 15 s while something is said on them: how long until they know what they missed.",
  sides: (stage): readonly Side[] => [
    {
      role: "ours",
      name: "ours",
      what: "customers' devices by lean lines, on their conversations; every event is a message, committed",
      start: () => startStorm(stage, "conversations"),
    },
    ...peers.storm.map(
      (peer): Side => ({
        role: "peer",
        name: peer.name,
        what: peer.what,
        start: () => stormOnPeer(peer, stormPlan(stage), stage),
      }),
    ),
  ],
  goals: [
    { what: "p95 of replay ÷ Socket.IO's", unit: "×", better: "lower", atLeast: 0.5, ambition: 0.2, value: ratio },
    DELIVERED,
  ],
  ratioToLimit: ratio,
};

export const tablets: Scenario = {
  ...LIKE_A_STORM,
  name: "tablets",
  what: "The same storm on restaurants' tablets, where every event is an order that is placed, paid for, shown and refused.",
  sides: (stage): readonly Side[] => [
    {
      role: "ours",
      name: "ours",
      what: "tablets by the client library, on their restaurants' inboxes; every event is an order, committed",
      start: () => startStorm(stage, "tablets"),
    },
  ],
  goals: [DELIVERED],
  ratioToLimit: () => null,
};
