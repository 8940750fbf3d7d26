/**
 * A socket, as data. What happens in each phase is in the files beside it: `hello.ts` (opening), `receive.ts` (frames),
 * `subscribe.ts`, `command.ts`, `gps.ts`, `liveness.ts` (open), `door.ts` (birth and end).
 */

import type { Bucket, Kept } from "../../lib/buckets.js";
import type { FrameCodec } from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { NativeSocket } from "../native.js";
import { Outbox, type OutboxTerms } from "./outbox.js";

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
      gpsInFlight: number;
      /** Of the driver's batches. */
      gpsBucket: Kept | null;
      readonly deviceId: string;
      /** TOKEN_EXPIRING has been sent for this principal. */
      warned: boolean;
      /** By channel. Made with the first: most sockets never need it. */
      subscriptions: Map<string, SocketSubscription> | null;
      commandsInFlight: number;
    }
  | { readonly phase: "closed" };

export type OpenState = Extract<ConnectionState, { phase: "open" }>;

/**
 * Kept small and in one piece, because most sockets are silent and there are a hundred thousand of them, and each object
 * that a frame meets is a wait for memory: nothing is made before it is needed, and times are whole milliseconds, which V8
 * keeps without a box of their own (`docs/decisions/idle-sockets.md`).
 */
export class Connection extends Outbox {
  state: ConnectionState;
  /** Monotonic times, in whole milliseconds. */
  heardAt: number;
  /** When the bucket of its frames will be full: see `waitOf`. */
  framesFullAt: number;
  /** From when on the time until a PING counts. */
  pingedAt: number;
  /** Of the first PING since it was heard; not after `heardAt`: it owes no answer. */
  askedAt: number;
  /** Until then the sweep has nothing to do with it. */
  quietUntil = 0;
  /** Another socket of the same person: see `Registry`. */
  next: Connection | null = null;
  /** Made with the first mistake. */
  mistakes: Bucket | null = null;
  readonly id: string;

  /** `now`: monotonic. */
  constructor(id: string, ws: NativeSocket<unknown>, codec: FrameCodec, terms: OutboxTerms, now: number) {
    super(ws, codec, terms);
    const since = Math.floor(now);
    this.id = id;
    this.state = { phase: "opening", since };
    this.heardAt = since;
    this.framesFullAt = since;
    this.pingedAt = since;
    this.askedAt = since;
  }
}
