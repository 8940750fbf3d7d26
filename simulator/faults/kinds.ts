/** The faults that a campaign knows, as plain data. What each does to a cluster is in `inflict.ts`. */
import type { ServerName } from "../cluster/mod.js";

export const FAULT_KINDS = [
  "kill-node",
  "pause-node",
  "kill-postgres",
  "kill-nats",
  "kill-redis",
  "cut-postgres",
  "cut-nats",
  "cut-redis",
  "cut-postgres-and-nats",
  "cut-all",
  "slow-link",
  "roll-nodes",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Both ways, or one way only: the other side still hears, and does not know that it is not heard. */
export const DIRECTIONS = ["both", "to-server", "from-server"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export type Cut = Extract<FaultKind, `cut-${string}`>;
export type ServerKill = Extract<FaultKind, `kill-${ServerName}`>;

/** `node` counts from 0. `forMs` is how long it lasts, until it is healed. */
export type Fault =
  | { readonly kind: "kill-node" | "pause-node"; readonly node: number; readonly forMs: number }
  | { readonly kind: ServerKill; readonly forMs: number }
  | {
      readonly kind: Cut;
      readonly node: number;
      readonly direction: Direction;
      readonly manner: "drop" | "reset";
      readonly forMs: number;
    }
  | {
      readonly kind: "slow-link";
      readonly node: number;
      readonly server: ServerName;
      readonly delayMs: number;
      readonly forMs: number;
    }
  | { readonly kind: "roll-nodes" };

export const SERVERS_OF_CUT: Readonly<Record<Cut, readonly ServerName[]>> = {
  "cut-postgres": ["postgres"],
  "cut-nats": ["nats"],
  "cut-redis": ["redis"],
  "cut-postgres-and-nats": ["postgres", "nats"],
  "cut-all": ["postgres", "nats", "redis"],
};

export function isCut(fault: Fault): fault is Extract<Fault, { readonly kind: Cut }> {
  return Object.hasOwn(SERVERS_OF_CUT, fault.kind);
}

/** `cut-nats of node 2, from-server, drop, 3.1 s` */
export function faultText(fault: Fault): string {
  const words: string[] = [fault.kind];
  if ("node" in fault) words[0] += ` of node ${fault.node + 1}`;
  if ("server" in fault) words.push(`${fault.server} ${fault.delayMs} ms`);
  if ("direction" in fault) words.push(fault.direction, fault.manner);
  if ("forMs" in fault) words.push(`${(fault.forMs / 1000).toFixed(1)} s`);
  return words.join(", ");
}
