/** What the catalog reads. The index holds every restaurant's `MenuView`; the mirror says which have just changed. */
import type { ActorClient, ActorStore, MirrorEntry } from "../../actors/runtime/mod.js";
import type { Cancel } from "../../lib/clock.js";

export type { ActorClient };
export type IndexReader = Pick<ActorStore, "queryIndex">;

export interface MirrorCopy {
  /** Told each entry whose key begins so, when it comes in. */
  listen(keyPrefix: string, handler: (entry: MirrorEntry) => void): Cancel;
}

/** The geocoder, as `services/geocoding` has it. */
export interface AddressBook {
  find(text: string, limit: number): Promise<readonly KnownAddress[]>;
}

export interface KnownAddress {
  readonly address: string;
  readonly lat: number;
  readonly lng: number;
  readonly source: string;
}
