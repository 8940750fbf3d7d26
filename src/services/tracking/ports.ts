/** Where polls are answered from, in this order: this process's copy of the mirror, the mirror, the index. */
import type { ActorStore, MirrorEntry, MirrorPort } from "../../actors/runtime/mod.js";

export interface MirrorCopy {
  /** Null where there is none or it has expired. */
  get(key: string): MirrorEntry | null;
  /**
   * What was told last, expired or not: a view that is held is of an order that lives on this node and tells this process
   * whatever becomes of it, unless what it told was lost.
   */
  told(key: string): MirrorEntry | null;
}
export type MirrorReader = Pick<MirrorPort, "read">;
export type IndexReader = Pick<ActorStore, "queryIndex">;
