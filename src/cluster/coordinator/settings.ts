export interface CoordinatorSettings {
  /** How long a node that says nothing stays the owner of its shards, by the database's clock. */
  readonly leaseMs: number;
  /** How often the lease is renewed and the cluster looked at. */
  readonly heartbeatMs: number;
  /** So much before its lease ends a node falls silent: covers clocks that run at different speeds. */
  readonly leaseMarginMs: number;
  /** How long an owner must have been without a session before its shards are taken. */
  readonly sessionGraceMs: number;
  /** How long after its last renewal a node may speak once it has lost its session. Less than the grace. */
  readonly sessionLossMs: number;
  /** Planned moves under way at once. */
  readonly movesAtOnce: number;
  /** Joining is refused when this machine's clock and the database's differ by more. */
  readonly maxClockSkewMs: number;
  /** Pause between attempts to join again after the session was lost. */
  readonly rejoinMs: number;
  /** A shard that has not been given up in order after this long is revoked and moves all the same. */
  readonly releaseMs: number;
  /** How long a move that did not succeed is not tried again. */
  readonly moveAgainMs: number;
  /** Shards taken in one transaction. */
  readonly takeAtOnce: number;
  /** While a member does not see the database, the others say again what they have, once in this many milliseconds. */
  readonly repeatHintMs: number;
}

export const DEFAULT_COORDINATOR_SETTINGS: CoordinatorSettings = {
  leaseMs: 10_000,
  heartbeatMs: 1_000,
  leaseMarginMs: 500,
  sessionGraceMs: 2_000,
  sessionLossMs: 1_500,
  movesAtOnce: 8,
  maxClockSkewMs: 500,
  rejoinMs: 300,
  releaseMs: 5_000,
  moveAgainMs: 2_000,
  takeAtOnce: 64,
  repeatHintMs: 5_000,
};

/** Above it a vanished member's session could end before its lease does. */
const MAX_LEASE_MS = 50_000;

/** Returns the settings if they make sense together; throws a RangeError that names both values if not. */
export function checkCoordinatorSettings(settings: CoordinatorSettings): CoordinatorSettings {
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`cluster: ${name} must be a whole number from 1, not ${value}`);
  }
  const less = (a: keyof CoordinatorSettings, b: keyof CoordinatorSettings, factor = 1): void => {
    if (settings[a] * factor >= settings[b])
      throw new RangeError(
        `cluster: ${factor === 1 ? "" : `${factor} × `}${a} (${settings[a]}) must be less than ${b} (${settings[b]})`,
      );
  };
  less("leaseMarginMs", "leaseMs");
  less("heartbeatMs", "leaseMs", 3);
  less("sessionLossMs", "sessionGraceMs");
  less("heartbeatMs", "sessionLossMs");
  less("sessionGraceMs", "leaseMs");
  if (settings.leaseMs > MAX_LEASE_MS)
    throw new RangeError(`cluster: leaseMs must be at most ${MAX_LEASE_MS}, not ${settings.leaseMs}`);
  return settings;
}
