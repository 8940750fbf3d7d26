/** The menu as this tablet reads it: never older than what it has just made of it, nor than what it hears of its doors. */
import { signal } from "@preact/signals";
import type { MenuView } from "../../../../sdk/mod.js";
import { sleep } from "../../../../src/lib/clock.js";
import { account } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { useReading } from "../../../shared/reading.js";
import { doors, server } from "../store/inbox.js";

/** The version of the menu that this tablet has made: nothing older is shown any more. */
const madeVersion = signal(0);

/** What a change answers. */
export function menuChanged({ menuVersion }: { readonly menuVersion: number }): void {
  madeVersion.value = Math.max(madeVersion.peek(), menuVersion);
}

/** A node may answer from a copy that is a second old, another node from one that is older. */
const AGAIN_MS = 200;
const MOST_TRIES = 50;

/** The doors may have moved again by then. */
const MOST_TRIES_FOR_DOORS = 15;

async function readMenu(id: string, atLeast: number, stop: AbortSignal): Promise<MenuView> {
  for (let tries = 1; ; tries++) {
    const menu = await server().http.menu(id, stop);
    const isOld = menu.menuVersion < atLeast && tries < MOST_TRIES;
    const differs = tries < MOST_TRIES_FOR_DOORS && doorsText(doors.peek() ?? menu) !== doorsText(menu);
    if ((!isOld && !differs) || stop.aborted) return menu;
    await sleep(clock, AGAIN_MS);
  }
}

const doorsText = ({ open, paused }: Pick<MenuView, "open" | "paused">): string => `${open} ${paused !== undefined}`;

export function useMenu() {
  const id = account.value!.id;
  const version = madeVersion.value;
  const told = doors.value === null ? "" : doorsText(doors.value);
  return useReading((stop) => readMenu(id, version, stop), [id, version, told]);
}
