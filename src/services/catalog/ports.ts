/** What the catalog reads. The index holds every restaurant's `MenuView`; the mirror says which have just changed. */
import type { ActorClient, ActorStore, MirrorEntry } from "../../actors/runtime/mod.js";

export type { ActorClient };
export type IndexReader = Pick<ActorStore, "queryIndex">;

export interface MirrorCopy {
  get(key: string): MirrorEntry | null;
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
