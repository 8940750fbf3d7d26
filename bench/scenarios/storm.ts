/** `storm`: thousands of tablets on a bad line while orders flow, beside Socket.IO with connection state recovery. */
import type { Look, Scenario, Side, Stage } from "../harness/ports.js";
import { peers } from "../peers/mod.js";
import type { StormPlan } from "../peers/ports.js";
import { stormOnOurs, stormOnPeer } from "../storm/side.js";
import { argumentsFor } from "../storm/stage-ours.js";
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

export const storm: Scenario = {
  name: "storm",
  what: "Tablets that are away about 2 s of every 15 s while orders come: how long until they know what they missed.",
  loads: ["storm"],
  operation: "event delivered",
  // The program beside ours keeps thirty seconds of events for those who return, and searches them: it is to have some.
  warmUpSeconds: 10,
  lagBoundMs: 100,
  withoutIdle: false,
  rounds: 1,
  // A line breaks every fifteen seconds.
  leastSeconds: 60,
  remarks: [
    "At least a minute, whatever `--seconds` says: a tablet is away two seconds of every fifteen.",
    "One round: it has four breaks of every tablet.",
  ],
  sides: (stage): readonly Side[] => [
    {
      role: "ours",
      name: "ours",
      what: "tablets by the client library, on their restaurants' inboxes; every event is an order, committed",
      async start() {
        const plan = stormPlan(stage);
        const ours = await startOurs(stage, { args: argumentsFor(plan) });
        const { url, operatorSecret } = ours.target.nodes[0]!;
        const gauges = (): ReturnType<typeof ours.gauges> => ours.gauges();
        return stormOnOurs(plan, { url, operatorSecret, pids: ours.pids, gauges, stop: () => ours.stop() });
      },
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
    {
      what: "delivered, in order, once",
      unit: "%",
      better: "higher",
      atLeast: 100,
      ambition: 100,
      value: (look) => look("ours", "deliveredPercent"),
    },
  ],
  ratioToLimit: ratio,
};
