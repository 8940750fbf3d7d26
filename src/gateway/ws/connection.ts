/**
 * A socket, as data. What happens in each phase is in the files beside it: `hello.ts` (opening), `receive.ts` (frames),
 * `subscribe.ts`, `command.ts`, `gps.ts`, `liveness.ts` (open), `door.ts` (birth and end).
 */

import type { Bucket } from "../../lib/buckets.js";
import type { FrameCodec } from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { NativeSocket } from "../native.js";
import type { Outbox } from "./outbox.js";

export interface SocketSubscription {
  /** Of the SUB frame: the subscription's end is told under it. */
  readonly requestId: number;
  acknowledge(epoch: number, offset: number): void;
  close(): void;
}

export type ConnectionState =
  /** Upgraded; HELLO has not come. */
  | { readonly phase: "opening"; readonly since: number }
  | {
      readonly phase: "open";
      /** REFRESH replaces it by one of the same person. */
      principal: Principal;
      readonly deviceId: string;
      /** TOKEN_EXPIRING has been sent for this principal. */
      warned: boolean;
      /** By channel. Made with the first: most sockets never need it. */
      subscriptions: Map<string, SocketSubscription> | null;
      commandsInFlight: number;
      gpsInFlight: number;
    }
  | { readonly phase: "closed" };

export type OpenState = Extract<ConnectionState, { phase: "open" }>;

/**
 * Kept small, because most sockets are silent and there are a hundred thousand of them: nothing is made before it is
 * needed, and times are whole milliseconds, which V8 keeps without a box of their own (`docs/decisions/idle-sockets.md`).
 */
export interface Connection {
  readonly id: string;
  readonly ws: NativeSocket<unknown>;
  readonly codec: FrameCodec;
  readonly outbox: Outbox;
  readonly frames: Bucket;
  /** Made with the first mistake. */
  mistakes: Bucket | null;
  state: ConnectionState;
  /** Another socket of the same person: see `Registry`. */
  next: Connection | null;
  /** Monotonic times, in whole milliseconds. */
  heardAt: number;
  /** From when on the time until a PING counts. */
  pingedAt: number;
  /** Of the first PING since it was heard; not after `heardAt`: it owes no answer. */
  askedAt: number;
  /** Until then the sweep has nothing to do with it. */
  quietUntil: number;
}
