/** What the catalog reads. The index holds every restaurant's `MenuView`; the mirror says which have just changed. */
import type { ActorStore, MirrorEntry } from "../../actors/runtime/mod.js";

export type IndexReader = Pick<ActorStore, "queryIndex">;

export interface MirrorCopy {
  get(key: string): MirrorEntry | null;
}
