/** Which page of the app is shown: the part of the address after `#`, so that any server can serve it. */
import { computed, signal } from "@preact/signals";
import { focusIfLost } from "./kit/focus.js";

function path(): string {
  const written = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURI(written);
  } catch {
    // A percent sign that somebody wrote by hand.
    return written;
  }
}
const address = signal(path());

/** The address in its parts: `#/order/abc` is `["order", "abc"]`. */
export const route = computed<readonly string[]>(() => address.value.split("/").filter((part) => part !== ""));

let depth = 0;

export function startRouter(): void {
  addEventListener("hashchange", () => {
    address.value = path();
    scrollTo({ top: 0, behavior: "instant" });
    // What was pressed may be gone with its page; the next one is drawn by then.
    requestAnimationFrame(focusIfLost);
  });
}

export function go(to: string): void {
  if (path() === to) return;
  depth += 1;
  location.hash = `#/${to}`;
}

/** The page that is shown was only on the way: nobody who goes back meets it. */
export function goInstead(to: string): void {
  location.replace(`#/${to}`);
}

/** One step back, or to where this page belongs when it was the first to be opened. */
export function back(otherwise: string): void {
  if (depth > 0) {
    depth -= 1;
    history.back();
  } else go(otherwise);
}
