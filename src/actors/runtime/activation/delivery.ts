/**
 * One message on its way to one actor, from wherever it came. It is kept whole until its effects are committed, so that
 * it can be run again on restored state.
 */

import type { Caller, CommandInfo } from "../definition.js";
import type { Peer } from "../host/credits.js";
import type { EndpointId } from "../link.js";
import type { ActorAddress, TimerRow } from "../ports.js";

/** `quarantine` records that a command failed too often; it runs no handler. */
export type DeliverySource = CommandInfo["source"];

export interface Resume {
  readonly epoch: number;
  readonly offset: number;
}

export class Delivery implements CommandInfo {
  readonly source: DeliverySource;
  /** The command id: what de-duplicates it. Empty: never de-duplicated. */
  readonly id: string;
  /** The command, or for subscriptions the channel. */
  readonly name: string;
  readonly input: unknown;
  readonly caller: Caller | null;
  readonly from: ActorAddress | null;
  /** Who gets the answer. */
  readonly endpoint: EndpointId;
  /** Ask or subscription id at the endpoint; number of a tell or effect at its sender; `at` of a timer. */
  readonly number: number;
  /** Of an ask or a subscription: the peer that sent it, as it was then. */
  peer: Peer | null = null;
  bodyHash = "";
  notAfter: number | null = null;
  /** Of an ask: its answer may wait for company on the line. */
  mayWait = false;
  /** The timer that fired, as it was when it did. */
  timer: TimerRow | null = null;
  resume: Resume | null = null;
  /** Of a subscription that waits: its listener has left. */
  isOver = false;
  /** Claims that another actor holds, found out by a refused commit. */
  taken: Set<string> | null = null;
  /** The store says that this command id was committed before: read the outcome before running. */
  committedBefore = false;
  /** How often it was refused and came again by itself. */
  refusals = 0;
  /** Driven again by a person: however often it throws, it is not put aside a second time. */
  isAgain = false;
  /** For `quarantine`: the message that is put aside. */
  poisoned: Delivery | null = null;

  constructor(
    source: DeliverySource,
    id: string,
    name: string,
    input: unknown,
    caller: Caller | null,
    from: ActorAddress | null,
    endpoint: EndpointId,
    number: number,
  ) {
    this.source = source;
    this.id = id;
    this.name = name;
    this.input = input;
    this.caller = caller;
    this.from = from;
    this.endpoint = endpoint;
    this.number = number;
  }
}

export const tellId = (from: ActorAddress, number: number): string => `tell:${from.kind}/${from.key}:${number}`;
export const effectCommandId = (number: number): string => `effect:${number}`;
export const timerCommandId = (name: string, at: number): string => `timer:${name}:${at}`;
export const claimText = (claim: string, value: string): string => `${claim}\u0000${value}`;
