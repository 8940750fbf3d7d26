/** What a gateway needs from its surroundings. The engine is reached through `ActorClient` only. */
import type { ActorClient, MirrorEntry } from "../actors/runtime/mod.js";
import type { Json } from "../lib/json.js";

export type { ActorClient, ActorError, AskResult, MirrorEntry } from "../actors/runtime/mod.js";

/** Structured logs. Fields never hold tokens, bodies or positions. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, Json>>): void;
  warn(event: string, fields?: Readonly<Record<string, Json>>): void;
  error(event: string, fields?: Readonly<Record<string, Json>>): void;
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };

/**
 * The part of the mirror that this process has in memory: fed by the shard workers' mirror messages and bounded by its
 * owner. Polls look here first.
 */
export interface MirrorCopy {
  get(key: string): MirrorEntry | null;
}

/**
 * Implemented by clients that know: how long nothing has been heard of the thread that owns this actor, in milliseconds.
 * Without it the owner counts as heard (one process, where a dead worker is known at once).
 */
export interface OwnerWatch {
  silenceMs(actor: { readonly kind: string; readonly key: string }): number;
}

export type GatewayClient = ActorClient & Partial<OwnerWatch>;
