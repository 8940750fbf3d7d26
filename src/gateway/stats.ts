/** Counters of one gateway thread. Plain numbers, so that they can be posted to the main thread and added up. */
export interface GatewayStats {
  connections: number;
  opening: number;
  subscriptions: number;
  streams: number;
  requests: number;
  /** Of bodies that have not come whole. */
  unfinishedBytes: number;
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  gpsBatches: number;
  gpsLimited: number;
  commands: number;
  positionsOut: number;
  positionsHeld: number;
  slotsOverwritten: number;
  openGrants: number;
  driverFeeds: number;
  readonly closes: Record<string, number>;
  readonly errors: Record<string, number>;
  readonly httpStatuses: Record<string, number>;
}

export function newStats(): GatewayStats {
  return {
    connections: 0,
    opening: 0,
    subscriptions: 0,
    streams: 0,
    requests: 0,
    unfinishedBytes: 0,
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    gpsBatches: 0,
    gpsLimited: 0,
    commands: 0,
    positionsOut: 0,
    positionsHeld: 0,
    slotsOverwritten: 0,
    openGrants: 0,
    driverFeeds: 0,
    closes: {},
    errors: {},
    httpStatuses: {},
  };
}

export function count(of: Record<string, number>, key: string | number): void {
  of[key] = (of[key] ?? 0) + 1;
}
