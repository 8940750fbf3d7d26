/** Makes the page an app of the device: its shell is kept, so that it opens without a network. */
import { signal } from "@preact/signals";

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

/** Set while the browser would put the app on the home screen if asked. */
export const installPrompt = signal<InstallPrompt | null>(null);

export function startPwa(scope: string): void {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    installPrompt.value = event as InstallPrompt;
  });
  addEventListener("appinstalled", () => {
    installPrompt.value = null;
  });
  if (!("serviceWorker" in navigator)) return;
  addEventListener("load", () => {
    navigator.serviceWorker
      .register("/sw.js", { scope })
      .then(() => navigator.serviceWorker.ready)
      .then(({ active }) => active?.postMessage({ keep: madeOf() }))
      // Without it everything works, only not without a network.
      .catch(() => undefined);
  });
}

/** The page itself and every script and style that it has loaded. */
function madeOf(): readonly string[] {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const assets = loaded.filter((name) => name.startsWith(`${location.origin}/assets/`));
  return [location.origin + location.pathname, `${location.origin}/live/city.json`, ...new Set(assets)];
}
