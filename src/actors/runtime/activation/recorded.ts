/** What one handler run wants to change and to say. Nothing of it is visible before the gate lets it out. */
import type { Json } from "../../../lib/json.js";
import type { ChannelItem } from "../client.js";
import type { ActorAddress, ChannelEvent, OutboxTell, PublishedEvent, TimerRow } from "../ports.js";
import type { Activation } from "./activation.js";

/** As it goes over a link, so that what stays in this thread goes as it is. */
export interface SaidCast {
  readonly t: "cast";
  readonly to: ActorAddress;
  readonly name: string;
  readonly input: unknown;
  readonly caller: null;
  readonly from: ActorAddress;
  /** Found in this thread's memory as it was let out. */
  here: Activation | null;
}

/** What is said once, without an outbox row of its own. */
export type Said =
  | SaidCast
  | { readonly t: "event"; readonly channel: string; readonly item: ChannelItem }
  | { readonly t: "slot"; readonly channel: string; readonly slot: string; readonly body: Json; readonly ttlMs: number }
  | { readonly t: "readmit"; readonly channel: string }
  | { readonly t: "mirror"; readonly key: string; readonly body: Json; readonly ttlMs: number };

export interface Claim {
  readonly claim: string;
  readonly value: string;
}

/** A tell that is said before its commit; see `tellAhead`. */
export interface Ahead {
  readonly tell: OutboxTell;
  readonly input: unknown;
  /** Commands by which its receiver answers it. */
  readonly answeredBy: readonly string[];
}

export class Recorded {
  /** True once anything below needs a commit. */
  durable = false;
  next: unknown = undefined;
  became = false;
  tells: OutboxTell[] | null = null;
  events: PublishedEvent[] | null = null;
  pushes: ChannelEvent[] | null = null;
  trims: { channel: string; offset: number }[] | null = null;
  claims: Claim[] | null = null;
  releases: Claim[] | null = null;
  /** Timer name → its new row, or null when cancelled. */
  timers: Map<string, TimerRow | null> | null = null;
  said: Said[] | null = null;
  /** How long its commit may be put off for company. */
  mayWaitMs = 0;
  /** Of `tells`, those that are said at once; the commit waits so long for their answers. */
  ahead: Ahead[] | null = null;
  aheadMs = 0;
  /** What is said may leave before runs that are put off. */
  overtakes = false;
}
