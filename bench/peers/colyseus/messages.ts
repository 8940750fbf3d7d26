/** What the room and its clients say: numbered types, which cost one byte each, and MessagePack, as Colyseus offers. */
export const MESSAGE = { fix: 1, taken: 2, position: 3 } as const;

export interface Fix {
  readonly sequence: number;
  readonly at: number;
  readonly lat: number;
  readonly lng: number;
}

/** What a client brings when it joins a room. */
export interface JoinOptions {
  readonly token: string;
  /** Of a driver: the room of the order that this driver carries. */
  readonly driverId?: string;
}
/** Drivers without an order, and lines that only wait, have a room too: in Colyseus a line is always in one. */
export const FLEET = "fleet";
/** Its room's number. A room tells each of its clients apart, and one for ten thousand is not what rooms are for. */
export const FLEET_ROOM_CLIENTS = 50;
export const fleetRoom = (index: number): string => `${FLEET}-${Math.floor(index / FLEET_ROOM_CLIENTS)}`;
