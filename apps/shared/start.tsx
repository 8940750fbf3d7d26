/** How every app begins: theme, addresses, the device's copy of the shell, the first drawing. */
import { type ComponentType, render } from "preact";
import "./theme.css";
import "./ui.css";
import { startPwa } from "./pwa/install.js";
import { startRouter } from "./router.js";
import { startTheme } from "./theme.js";

export function start(App: ComponentType, scope: string): void {
  startTheme();
  startRouter();
  startPwa(scope);
  render(<App />, document.getElementById("app")!);
}
