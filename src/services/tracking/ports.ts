/** Where polls are answered from, in this order: this process's copy of the mirror, the mirror, the index. */
import type { ActorStore, MirrorEntry, MirrorPort } from "../../actors/runtime/mod.js";

export interface MirrorCopy {
  get(key: string): MirrorEntry | null;
}
export type MirrorReader = Pick<MirrorPort, "read">;
export type IndexReader = Pick<ActorStore, "queryIndex">;
