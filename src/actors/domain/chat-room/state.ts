/**
 * A room's state: who may be in it, how it stands, how far each side has read. What was said is not in it: the channel
 * `talk` keeps every line in the store, in the commit that moves `top`.
 *
 * Invariants: `top` is the offset of the newest line; `revision` rises with every change; a closed trip never opens again
 * for the driver it had.
 */
import type { ChatSide, RoomStatus, RoomView } from "../../../protocol/mod.js";
import type { ActorContext, Caller, IndexEntry } from "../../runtime/definition.js";
import { asJson } from "../json.js";

export type SupportStanding =
  | { readonly status: "open" }
  | { readonly status: "waiting"; readonly since: number }
  | { readonly status: "assigned"; readonly agentId: string; readonly since: number }
  | { readonly status: "resolved"; readonly agentId: string | null; readonly at: number };

export type TripStanding =
  | { readonly status: "open" }
  /** Delivered: a last word may be said. */
  | { readonly status: "ending"; readonly endsAt: number }
  | { readonly status: "closed"; readonly at: number };

/** The number by which the two reach each other. `n` counts what was asked of the provider. */
export type Contact =
  /** `notBefore`: the provider has just said no, or nothing: it is not asked again before then. */
  | { readonly status: "none"; readonly n: number; readonly notBefore?: number }
  | { readonly status: "opening"; readonly n: number }
  | { readonly status: "open"; readonly n: number; readonly number: string }
  | { readonly status: "closing"; readonly n: number }
  | { readonly status: "closed"; readonly n: number };

interface Common {
  readonly revision: number;
  readonly top: number;
  readonly reads: Readonly<Partial<Record<ChatSide, number>>>;
  /** Up to which line each side was told outside the apps that something was written. Absent: never. */
  readonly told?: Readonly<Partial<Record<ChatSide, number>>>;
  readonly openedAt: number;
  readonly changedAt: number;
}

export interface SupportRoom extends Common {
  readonly kind: "support";
  readonly customerId: string;
  /** Null: the customer's own concerns. */
  readonly orderId: string | null;
  readonly standing: SupportStanding;
  /** The beginning of what the customer said last. */
  readonly excerpt: string;
}

export interface TripRoom extends Common {
  readonly kind: "trip";
  readonly orderId: string;
  readonly customerId: string;
  readonly driverId: string;
  readonly grant: number;
  readonly standing: TripStanding;
  readonly contact: Contact;
}

/** `over`: the order was over before the room was opened; grants up to this one open nothing. */
export type RoomState = { readonly kind: "none"; readonly over: number } | SupportRoom | TripRoom;
export type OpenRoom = SupportRoom | TripRoom;

export interface RoomMemory {
  /** When each side was last shown to write. */
  readonly typedAt: Map<ChatSide, number>;
}

export type RoomContext = ActorContext<RoomState, RoomMemory>;

export const noRoom = (): RoomState => ({ kind: "none", over: 0 });
export const emptyRoomMemory = (): RoomMemory => ({ typedAt: new Map() });

const isAgent = (caller: Caller): boolean => caller.role === "support" || caller.role === "admin";

/** Which side of the room this caller is on; null: none, and the room does not exist for them. */
export function sideOf(state: RoomState, caller: Caller | null): ChatSide | null {
  if (state.kind === "none" || caller === null) return null;
  if (isAgent(caller)) return "support";
  if (caller.role === "customer") return caller.id === state.customerId ? "customer" : null;
  if (caller.role !== "driver" || state.kind !== "trip") return null;
  // Once it is closed, a driver has nothing more to do with the customer.
  return caller.id === state.driverId && state.standing.status !== "closed" ? "driver" : null;
}

export function roomView(roomId: string, room: OpenRoom): RoomView {
  const common = {
    roomId,
    kind: room.kind,
    version: room.revision,
    status: room.standing.status,
    openedAt: room.openedAt,
    top: room.top,
    reads: room.reads,
  };
  if (room.kind === "trip") {
    const { standing } = room;
    return { ...common, orderId: room.orderId, ...(standing.status === "ending" ? { endsAt: standing.endsAt } : {}) };
  }
  const { standing } = room;
  const agentId = "agentId" in standing ? standing.agentId : null;
  return {
    ...common,
    ...(room.orderId === null ? {} : { orderId: room.orderId }),
    customerId: room.customerId,
    ...(agentId === null ? {} : { agentId }),
    ...(standing.status === "waiting" ? { waitingSince: standing.since } : {}),
    ...(room.excerpt === "" ? {} : { excerpt: room.excerpt }),
  };
}

/** Rooms are listed by how they stand. */
export const roomScope = (kind: OpenRoom["kind"], status: RoomStatus): string => `${kind}/${status}`;
export const driverParty = (driverId: string): string => `driver/${driverId}`;
export const agentParty = (agentId: string): string => `agent/${agentId}`;

export function roomIndex(state: RoomState, roomId: string): IndexEntry | null {
  if (state.kind === "none") return null;
  const { standing } = state;
  const agentId = "agentId" in standing ? standing.agentId : null;
  return {
    scope: roomScope(state.kind, standing.status),
    owner: state.customerId,
    counterparty: state.kind === "trip" ? driverParty(state.driverId) : agentId === null ? "" : agentParty(agentId),
    status: standing.status,
    live:
      state.kind === "trip"
        ? standing.status !== "closed"
        : standing.status === "waiting" || standing.status === "assigned",
    // Who waits longest comes first.
    at: standing.status === "waiting" ? standing.since : state.changedAt,
    view: asJson(roomView(roomId, state)),
  };
}
