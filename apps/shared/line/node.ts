/** The line to the node: one client for the page, its state as signals, and when it has to be told that the network is back. */
import { computed, signal } from "@preact/signals";
import {
  type Client,
  type ClientOptions,
  type ConnectionState,
  createClient,
  type StorageLike,
} from "../../../sdk/mod.js";
import { clock, random } from "../clock.js";
import { followNews } from "./news.js";

export const nodeUrl = location.origin;

export const connection = signal<ConnectionState>({ name: "idle" });
/** The browser's own word; false is certain, true is not. */
export const network = signal(navigator.onLine);
/** Rises every second while a page counts: what shows times reads it. */
export const now = signal(clock.now());
clock.every(1_000, () => {
  now.value = opened?.serverNow() ?? clock.now();
});

/** Polls bring the news: no socket comes through this network. */
export const slow = signal(false);

let opened: Client | null = null;
let leaving = false;

/** `none`: nobody has asked for a line yet. `slow`: there is no socket, but what matters comes and goes. */
export type Line = "none" | "live" | "slow" | "opening" | "lost" | "ended";
export const line = computed<Line>(() => {
  const { name } = connection.value;
  if (name === "idle") return "none";
  if (name === "live") return "live";
  if (name === "closed") return "ended";
  if (!network.value) return "lost";
  if (slow.value) return "slow";
  if (name === "waiting") return "lost";
  return "opening";
});

/** Opens the page's client and follows it. */
export function openClient(options: Omit<ClientOptions, "url">): Client {
  const { storage } = options;
  const client = createClient({
    url: nodeUrl,
    random,
    clock,
    ...options,
    ...(storage === undefined ? {} : { storage: untilLeaving(storage) }),
  });
  connection.value = client.state;
  client.onState((state) => {
    connection.value = state;
    // Times on the page are the node's, whatever the device's clock says.
    if (state.name === "live") now.value = client.serverNow();
  });
  opened = client;
  addEventListener("online", () => {
    network.value = true;
    client.wake();
  });
  addEventListener("offline", () => {
    network.value = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.wake();
  });
  followNews(client);
  client.connect();
  return client;
}

/** A client that is closed gives up what it has not sent; what the device keeps is for when this person comes back. */
function untilLeaving(storage: StorageLike): StorageLike {
  const kept: StorageLike = {
    getItem: (key) => storage.getItem(key),
    setItem: (key, value) => {
      if (!leaving) storage.setItem(key, value);
    },
    removeItem: (key) => {
      if (!leaving) storage.removeItem(key);
    },
  };
  if (storage.length === undefined || storage.key === undefined) return kept;
  // Windows that share a storage which says what it holds keep their commands beside each other.
  return Object.defineProperty({ ...kept, key: (index: number) => storage.key?.(index) ?? null }, "length", {
    get: () => storage.length,
  });
}

/** The page is about to go: nothing more is sent, nothing that waits is forgotten. */
export function closeLine(): void {
  leaving = true;
  opened?.close();
}

/** As long as another page may take to be gone. */
const TAB_TAKEN_MS = 300;
const deviceKey = (app: string): string => `swift-eats.${app}.device`;

/**
 * A tab that was opened by another, or is its duplicate, begins with a copy of its storage, and so with its name. Whoever
 * has a name holds a lock on it; who finds it held makes another.
 */
export async function ownTab(app: string): Promise<void> {
  if (!("locks" in navigator) || (await hold(deviceId(app, "tab")))) return;
  sessionStorage.removeItem(deviceKey(app));
  await hold(deviceId(app, "tab"));
}

/** True: held until this page ends. */
function hold(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    navigator.locks
      .request(name, { signal: AbortSignal.timeout(TAB_TAKEN_MS) }, () => {
        resolve(true);
        return new Promise(() => undefined);
      })
      .catch((error: DOMException) => resolve(error.name !== "TimeoutError"));
  });
}

/** A name for this installation, or for this tab only, kept by the browser. */
export function deviceId(app: string, of: "installation" | "tab"): string {
  const key = deviceKey(app);
  try {
    const storage = of === "tab" ? sessionStorage : localStorage;
    const kept = storage.getItem(key);
    if (kept !== null) return kept;
    const made = `${app}-${[...random.bytes(9)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    storage.setItem(key, made);
    return made;
  } catch {
    // Without storage it lasts as long as the page.
    return `${app}-${Math.floor(random.next() * 1e12)}`;
  }
}
