/** The actor client's bounds and waits. Every queue it holds is here. */
export interface ActorClientSettings {
  /** How long an ask waits for its answer unless it says otherwise. */
  readonly askTimeoutMs: number;
  /** Asks that have no answer yet, of all kinds and places. */
  readonly maxInFlight: number;
  /** Asks that wait for one endpoint's credit. */
  readonly maxWaitingPerPeer: number;
  /** Asks that wait for a shard to have an owner. */
  readonly maxParked: number;
  /** How long a new ask waits for credit before it is answered `overloaded`. */
  readonly admissionWaitMs: number;
  /** New work is held back while more than half of it is answered later than this. */
  readonly lateMs: number;
  /** How often that is judged. */
  readonly paceWindowMs: number;
  /** What `overloaded` and `timeout` advise, give or take a half. */
  readonly retryAfterMs: number;
  /** Pause after a wrong route; doubles up to the longest. */
  readonly rerouteMinMs: number;
  readonly rerouteMaxMs: number;
  readonly maxSubscriptions: number;
  /** Live events and slots kept for a subscription while its start is on the way. */
  readonly maxBuffered: number;
  /** Slots of one subscription whose versions are remembered. */
  readonly maxSlots: number;
  /** A subscribe message without an answer is sent again after this. */
  readonly subscribeTimeoutMs: number;
  /** A subscription that could not start at all is ended after this. */
  readonly subscribeGiveUpMs: number;
  /** Coarseness of all the waits above. */
  readonly tickMs: number;
}

export const DEFAULT_CLIENT_SETTINGS: ActorClientSettings = {
  askTimeoutMs: 10_000,
  maxInFlight: 20_000,
  maxWaitingPerPeer: 2_000,
  maxParked: 4_000,
  admissionWaitMs: 100,
  lateMs: 1_000,
  paceWindowMs: 1_000,
  retryAfterMs: 500,
  rerouteMinMs: 25,
  rerouteMaxMs: 1_000,
  maxSubscriptions: 100_000,
  maxBuffered: 1_024,
  maxSlots: 4_096,
  subscribeTimeoutMs: 5_000,
  subscribeGiveUpMs: 15_000,
  tickMs: 20,
};

/** The pause before attempt `attempts` + 1, with up to a half taken off so that a crowd does not return as one. */
export function reroutePauseMs(settings: ActorClientSettings, attempts: number, chance: number): number {
  const pause = Math.min(settings.rerouteMaxMs, settings.rerouteMinMs * 2 ** Math.min(attempts, 16));
  return pause * (1 - chance / 2);
}
