/** How every app begins: theme, addresses, the device's copy of the shell, the first drawing. */
import { type ComponentType, render } from "preact";
import "./theme.css";
import "./ui.css";
import { startPwa } from "./pwa/install.js";
import { startRouter } from "./router.js";
import { startTheme } from "./theme.js";

/** `first`: what has to be known before the first drawing. */
export function start(App: ComponentType, scope: string, first: Promise<void> = Promise.resolve()): void {
  startTheme();
  startRouter();
  startPwa(scope);
  void first.then(() => render(<App />, document.getElementById("app")!));
}
