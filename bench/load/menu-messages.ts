/** What the menu load's coordinator says to the bare server, and what it answers. */
export interface ToMenuBare {
  /** Of the node whose menus it copies. */
  readonly url: string;
  readonly ids: readonly string[];
}
export type FromMenuBare =
  | { readonly t: "ready" }
  | { readonly t: "listening"; readonly port: number; readonly bytesOfBody: number };

export const MENU_PATH = "/v1/restaurants/";

const LAST_BYTES = 250;

/** A loopback address of its own for each client, as clients have: limits count by address. */
export const addressFor = (client: number): string =>
  `127.0.${1 + (Math.floor(client / LAST_BYTES) % LAST_BYTES)}.${1 + (client % LAST_BYTES)}`;
