/** Makes the page an app of the device: its shell is kept, so that it opens without a network. */
import { signal } from "@preact/signals";
import { clock } from "../clock.js";

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
      .then(({ active }) => {
        if (active !== null) keepWhatLoads(active);
      })
      // Without it everything works, only not without a network.
      .catch(() => undefined);
  });
}

/** Parts that load later, such as the map, come after; several at once are told together. */
const GATHER_MS = 300;

/** The page itself and every script and style that it has loaded or will load: the first visit is kept whole. */
function keepWhatLoads(worker: ServiceWorker): void {
  let told = 0;
  let gathering = false;
  const tell = (): void => {
    gathering = false;
    const keep = madeOf();
    if (keep.length === told) return;
    told = keep.length;
    worker.postMessage({ keep });
  };
  tell();
  new PerformanceObserver(() => {
    if (gathering) return;
    gathering = true;
    clock.after(GATHER_MS, tell);
  }).observe({ type: "resource" });
}

function madeOf(): readonly string[] {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const assets = loaded.filter((name) => name.startsWith(`${location.origin}/assets/`));
  return [location.origin + location.pathname, `${location.origin}/live/city.json`, ...new Set(assets)];
}
