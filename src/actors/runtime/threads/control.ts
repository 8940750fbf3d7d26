/** What the main thread and the threads of the mesh say to each other beside the links: about ports, shards and stopping. */
import type { EndpointId } from "../link.js";
import type { MessagePortLinkSettings, PortEnd } from "../links/message-port.js";

export type ThreadRole = "shards" | "gateway";

/** What gateways alone are told: let clients in; let them go, and no new ones in. Answered by `done`. */
export type GatewayStep = "open" | "drain";

export interface Connection {
  readonly peer: EndpointId;
  readonly end: PortEnd;
}

/** A thread's `workerData`. */
export interface ThreadStart {
  readonly mesh: {
    readonly self: EndpointId;
    readonly role: ThreadRole;
    /** Position among the shard workers; null for a gateway. */
    readonly worker: number | null;
    readonly connections: readonly Connection[];
    readonly owners: readonly (EndpointId | null)[];
    readonly ownership: SharedArrayBuffer;
    /** One Int32 per thread; this one adds to its own at `heartbeat`. */
    readonly heartbeats: SharedArrayBuffer;
    readonly heartbeat: number;
    readonly heartbeatMs: number;
    readonly link: Partial<MessagePortLinkSettings>;
  };
  readonly data: unknown;
}

export type ToThread =
  | { readonly kind: "connect"; readonly connection: Connection }
  | { readonly kind: "disconnect"; readonly peer: EndpointId }
  | { readonly kind: "assigned"; readonly changes: readonly (readonly [number, EndpointId | null])[] }
  /** The shards whose epochs in the ownership table were granted or revoked. */
  | {
      readonly kind: "owned";
      readonly gained: readonly number[];
      readonly given: boolean;
      readonly lost: readonly number[];
    }
  /** Finish what is under way on these shards and forget them; answered by `released`. */
  | { readonly kind: "release"; readonly request: number; readonly shards: readonly number[] }
  | { readonly kind: GatewayStep }
  | { readonly kind: "stop" };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "released"; readonly request: number }
  | { readonly kind: "done"; readonly step: GatewayStep }
  | { readonly kind: "stopped" };
