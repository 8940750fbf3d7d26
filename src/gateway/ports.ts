/** What a gateway needs from its surroundings. The engine is reached through `ActorClient` only. */
import type { ActorClient, MirrorEntry } from "../actors/runtime/mod.js";
import type { Cancel } from "../lib/clock.js";

export type { ActorClient, ActorError, AskResult, MirrorEntry } from "../actors/runtime/mod.js";

/**
 * The part of the mirror that this process has in memory: fed by the shard workers' mirror messages and bounded by its
 * owner. Polls look here first.
 */
export interface MirrorCopy {
  /** Null where there is none or it has expired. */
  get(key: string): MirrorEntry | null;
  /** What was told last of this key, expired or not; nothing of what lives elsewhere by now. */
  told(key: string): MirrorEntry | null;
  /** Told each entry whose key begins so, when it comes in. */
  listen(keyPrefix: string, handler: (entry: MirrorEntry) => void): Cancel;
}

/**
 * Implemented by clients that know: how long nothing has been heard of the thread that owns this actor, in milliseconds.
 * Without it the owner counts as heard.
 */
export interface OwnerWatch {
  silenceMs(actor: { readonly kind: string; readonly key: string }): number;
}

export type GatewayClient = ActorClient & Partial<OwnerWatch>;
