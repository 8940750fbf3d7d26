/**
 * The link: how threads and nodes exchange messages. One endpoint per thread. Adapters: MessagePort between threads of a
 * node, NATS between nodes (`src/cluster/nats`), memory in tests and in the simulation. The engine sees only this port.
 */
import type { ActorError, ChannelItem, SlotItem } from "./client.js";
import type { Caller } from "./definition.js";
import type { ActorAddress, MirrorEntry } from "./ports.js";

/** Names one thread: `node/gateway-0`, `node/shards-1`. */
export type EndpointId = string;

export type LinkMessage =
  | {
      readonly t: "ask";
      readonly id: number;
      readonly to: ActorAddress;
      readonly name: string;
      readonly input: unknown;
      readonly commandId: string;
      readonly bodyHash: string;
      readonly caller: Caller;
      readonly notAfter: number | null;
      /** It and its answer may wait a moment for company on the line; see `AskOptions.mayWait`. */
      readonly mayWait?: true;
    }
  | { readonly t: "reply"; readonly id: number; readonly value: unknown; readonly mayWait?: true }
  | { readonly t: "error"; readonly id: number; readonly error: ActorError; readonly owner?: EndpointId }
  | {
      readonly t: "cast";
      readonly to: ActorAddress;
      readonly name: string;
      readonly input: unknown;
      readonly caller: Caller | null;
      readonly from: ActorAddress | null;
    }
  /** A durable tell; acknowledged by `told` once the receiver has committed it. */
  | {
      readonly t: "tell";
      readonly from: ActorAddress;
      readonly number: number;
      readonly to: ActorAddress;
      readonly name: string;
      readonly input: Uint8Array;
    }
  | { readonly t: "told"; readonly from: ActorAddress; readonly number: number }
  | {
      readonly t: "subscribe";
      readonly id: number;
      readonly to: ActorAddress;
      readonly channel: string;
      readonly caller: Caller;
      readonly from: { readonly epoch: number; readonly offset: number } | null;
    }
  | {
      readonly t: "subscribed";
      readonly id: number;
      readonly epoch: number;
      readonly top: number;
      readonly recovered: boolean;
      readonly events: readonly ChannelItem[];
      readonly slots: readonly SlotItem[];
    }
  | { readonly t: "unsubscribe"; readonly id: number; readonly to: ActorAddress; readonly channel: string }
  | {
      readonly t: "acknowledge";
      readonly to: ActorAddress;
      readonly channel: string;
      readonly epoch: number;
      readonly offset: number;
    }
  /** Sent once per listening endpoint, whatever the number of its subscribers. */
  | { readonly t: "event"; readonly of: ActorAddress; readonly channel: string; readonly item: ChannelItem }
  | { readonly t: "slot"; readonly of: ActorAddress; readonly channel: string; readonly item: SlotItem }
  | { readonly t: "mirror"; readonly entry: MirrorEntry }
  /** Admission: the receiver of this may send `count` more asks to the sender. */
  | { readonly t: "credit"; readonly count: number };

export interface Link {
  readonly self: EndpointId;
  /**
   * Queues a message; queued messages leave together at the end of the tick, in order per destination. The message must
   * not be changed afterwards: it is copied when it leaves. To an endpoint that is not up it is lost. The queue is
   * bounded: see `links/bounds.ts` for what may be dropped, and when both ends see each other go down and come up.
   */
  send(to: EndpointId, message: LinkMessage): void;
  /** The one receiver of this endpoint's messages, in order per sender. */
  receive(handler: (from: EndpointId, messages: readonly LinkMessage[]) => void): void;
  /** Tells when another endpoint comes or goes (a worker died, a node left). Called at once for those already up. */
  peers(handler: (peer: EndpointId, change: "up" | "down") => void): void;
  /**
   * How many more messages that may be lost (casts, slots, mirrors) the queue towards an endpoint takes before it drops
   * them; 0 for an endpoint that is not up. Absent: the adapter does not say.
   */
  room?(to: EndpointId): number;
  close(): void;
}

/** Where shards live, as this thread believes. Wrong beliefs are corrected by `not_owner`. */
export interface ShardMap {
  ownerOf(shard: number): EndpointId | null;
  onChange(handler: (shards: readonly number[]) => void): void;
}

/** What this thread owns. Every emission asks it. */
export interface Ownership {
  /** The fencing epoch, or null when this thread does not own the shard. */
  epochOf(shard: number): number | null;
  /** False once the lease's deadline has passed: say nothing, show nothing. */
  mayEmit(): boolean;
}
