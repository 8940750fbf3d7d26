/** How the main thread watches and replaces threads. */
export interface MeshSettings {
  readonly heartbeatMs: number;
  /** How often the main thread looks at the heartbeats. */
  readonly checkMs: number;
  /** A thread whose heartbeat has not moved for this long is stuck. */
  readonly stuckMs: number;
  /** A thread that has not said it is ready by then is stuck, too. */
  readonly startTimeoutMs: number;
  /** The first crash is mended at once; from the second on in a row it waits this long, doubling up to the most. */
  readonly restartMinMs: number;
  readonly restartMaxMs: number;
  /** Crashes in a row after which the mesh gives up. */
  readonly maxCrashes: number;
  /** A thread that ran for this long has broken the row. */
  readonly stableMs: number;
  readonly stopTimeoutMs: number;
}

export const DEFAULT_MESH_SETTINGS: MeshSettings = {
  heartbeatMs: 250,
  checkMs: 500,
  stuckMs: 5_000,
  startTimeoutMs: 30_000,
  restartMinMs: 100,
  restartMaxMs: 5_000,
  maxCrashes: 10,
  stableMs: 60_000,
  stopTimeoutMs: 10_000,
};

export function checkMeshSettings(settings: MeshSettings): MeshSettings {
  if (settings.stuckMs < 2 * Math.max(settings.heartbeatMs, settings.checkMs))
    throw new RangeError(
      `mesh: stuckMs (${settings.stuckMs}) must be at least twice heartbeatMs (${settings.heartbeatMs}) and checkMs (${settings.checkMs}), or a busy thread is taken for a stuck one`,
    );
  if (settings.maxCrashes < 1) throw new RangeError(`mesh: maxCrashes (${settings.maxCrashes}) must be at least 1`);
  return settings;
}
