import type { RoomView } from "../../../protocol/mod.js";
import type { ActorContext } from "../../runtime/definition.js";

/** Conversations that wait for an agent or have one, by the room's id. Memory only: the index tells it again. */
export interface QueueMemory {
  readonly rooms: Map<string, RoomView>;
}

export const emptyQueue = (): QueueMemory => ({ rooms: new Map() });
export const isOpen = ({ status }: RoomView): boolean => status === "waiting" || status === "assigned";

export type QueueContext = ActorContext<null, QueueMemory>;
