/** Where keys and screen readers are: never at the beginning of the page because something went away under them. */

/** Whatever has the focus now; call what it returns when what took it from there is gone. */
export function keepFocus(): () => void {
  const before = document.activeElement;
  return () => {
    if (before instanceof HTMLElement && before !== document.body && before.isConnected) {
      before.focus({ preventScroll: true });
    }
    focusIfLost();
  };
}

/** Nothing has it: what has just been shown is next. */
export function focusIfLost(): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const main = document.querySelector("main");
  if (main === null) return;
  main.tabIndex = -1;
  main.focus({ preventScroll: true });
}
