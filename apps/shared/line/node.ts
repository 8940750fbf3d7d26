/** The line to the node: one client for the page, its state as signals, and when it has to be told that the network is back. */
import { computed, signal } from "@preact/signals";
import { type Client, type ClientOptions, type ConnectionState, createClient } from "../../../sdk/mod.js";
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
  const client = createClient({ url: nodeUrl, random, clock, ...options });
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

/** A name for this installation, or for this tab only, kept by the browser. */
export function deviceId(app: string, of: "installation" | "tab"): string {
  const storage = of === "tab" ? sessionStorage : localStorage;
  const key = `swift-eats.${app}.device`;
  try {
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
