/** Bounds and periods of the link between nodes. */
import { checkBounds, DEFAULT_LINK_BOUNDS, type LinkBounds } from "../../actors/runtime/mod.js";

export interface NatsLinkSettings extends LinkBounds {
  /** Every link announces itself, and tells each peer how far it is, once in this many milliseconds. */
  readonly heartbeatMs: number;
  /** A peer that says nothing for this long is down. At least three heartbeats. */
  readonly silenceMs: number;
  /** Messages on their way to a peer that it has not said to have consumed. */
  readonly window: number;
  /** Bytes of such messages: what NATS may have to hold for a slow peer. */
  readonly windowBytes: number;
  /** Most messages of one parcel. */
  readonly maxBatch: number;
  /**
   * Most bytes of a parcel of more than one message. A single message may have as many as the server takes, and goes in
   * parts where it has more.
   */
  readonly maxBatchBytes: number;
  /** Most bytes of one message: a larger one is left out, and told of in the log. */
  readonly maxMessageBytes: number;
  /**
   * When any peer was sent a parcel less than this many milliseconds ago, messages that may wait (positions and fixes,
   * most of all; see `mayGather`) wait for each other, or for one that may not: a write and a parcel cost both nodes and
   * the server far more than one more message in it.
   */
  readonly gatherMs: number;
  /** Other endpoints that are known at a time; those beyond are ignored until one goes. */
  readonly maxPeers: number;
}

export const DEFAULT_NATS_LINK_SETTINGS: NatsLinkSettings = {
  ...DEFAULT_LINK_BOUNDS,
  heartbeatMs: 500,
  silenceMs: 2_000,
  window: 16_384,
  windowBytes: 8 * 1_024 * 1_024,
  maxBatch: 1_024,
  maxBatchBytes: 256 * 1_024,
  maxMessageBytes: 32 * 1_024 * 1_024,
  gatherMs: 8,
  maxPeers: 512,
};

/** Throws RangeError for what cannot work. */
export function checkNatsLinkSettings(settings: NatsLinkSettings): NatsLinkSettings {
  checkBounds(settings);
  for (const name of [
    "heartbeatMs",
    "window",
    "windowBytes",
    "maxBatch",
    "maxBatchBytes",
    "maxMessageBytes",
    "maxPeers",
  ] as const)
    if (!(settings[name] >= 1)) throw new RangeError(`nats link: ${name} (${settings[name]}) must be at least 1`);
  if (!(settings.gatherMs >= 0 && settings.gatherMs <= settings.heartbeatMs))
    throw new RangeError(`nats link: gatherMs (${settings.gatherMs}) must be from 0 to heartbeatMs`);
  if (settings.silenceMs < settings.heartbeatMs * 3)
    throw new RangeError(
      `nats link: silenceMs (${settings.silenceMs}) must be at least three heartbeats of ${settings.heartbeatMs} ms`,
    );
  return settings;
}
