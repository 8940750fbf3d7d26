/**
 * Keeps the shell of an app on the device: the page, its scripts and styles, the ground of the map. What is alive — orders,
 * menus, positions — is never kept here. Served as `/sw.js`, one registration for each app.
 */
/// <reference lib="webworker" />
const worker = self as unknown as ServiceWorkerGlobalScope;
const SHELL = "swift-eats-shell-1";
/** How long a page is waited for before the one that is kept is shown. */
const PATIENCE_MS = 2_500;

worker.addEventListener("install", () => {
  void worker.skipWaiting();
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

/** The page names what it is made of once it runs, so that the first visit is kept too. */
worker.addEventListener("message", (event) => {
  const { keep } = (event.data ?? {}) as { readonly keep?: readonly string[] };
  if (keep === undefined) return;
  event.waitUntil(
    caches.open(SHELL).then(async (cache) => {
      for (const url of keep) {
        if (isPage(new URL(url)) || (await cache.match(url)) === undefined) await cache.add(url).catch(() => undefined);
      }
      await forgetOldAssets(cache, keep);
    }),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (request.mode === "navigate" || url.pathname === "/live/city.json") event.respondWith(newestFirst(request));
  else if (url.pathname.startsWith("/assets/") || isPicture(url)) event.respondWith(keptFirst(request));
});

const isPage = (url: URL): boolean => !url.pathname.includes(".");
const isPicture = (url: URL): boolean => /^\/[\w-]+\.(?:svg|png|webmanifest)$/.test(url.pathname);

/** Scripts and styles carry a hash of their content in their name: what is kept is right. */
async function keptFirst(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

async function newestFirst(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL);
  const newest = fetch(request).then(async (answer) => {
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  });
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept === undefined) return newest;
  const late = new Promise<Response>((resolve) => {
    AbortSignal.timeout(PATIENCE_MS).addEventListener("abort", () => resolve(kept));
  });
  return Promise.race([newest.catch(() => kept), late]);
}

/** Assets of versions that no page names any more; pictures and pages stay. */
async function forgetOldAssets(cache: Cache, keep: readonly string[]): Promise<void> {
  const assets = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/assets/"));
  if (assets.length < 120) return;
  const named = new Set(keep);
  for (const request of assets) if (!named.has(request.url)) await cache.delete(request);
}
