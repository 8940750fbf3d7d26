/**
 * What everybody is told: the announcements that stand for the caller, by the socket; while that is away, by polls.
 *
 * Owns: the list. Invariants: it holds each announcement once, in the order of their start; none that is over by the
 * node's clock or was taken back; what was taken back while the line was away leaves once the node has told what stands, and nothing else does then.
 */
import { type Cancel, type Clock, systemClock } from "../src/lib/clock.js";
import { ANNOUNCEMENTS_CHANNEL, type Announcement, EVERYWHERE } from "../src/protocol/mod.js";
import type { Client } from "./client.js";
import type { SwiftEatsError } from "./errors.js";

export interface AnnouncementHandlers {
  /** The whole list, whenever it has changed. */
  changed(standing: readonly Announcement[]): void;
  ended?(error: SwiftEatsError): void;
}

export interface WatchAnnouncementsOptions {
  /** Those of a zone, too. */
  readonly zone?: string;
  readonly clock?: Clock;
  /** Between two polls while there is no socket, in milliseconds. */
  readonly pollMs?: number;
}

/** A timer that is set for later than this fires early on some platforms; the list is looked over again then. */
const LONGEST_WAIT_MS = 3_600_000;

export function watchAnnouncements(
  client: Client,
  handlers: AnnouncementHandlers,
  options: WatchAnnouncementsOptions = {},
): { stop(): void } {
  const clock = options.clock ?? systemClock();
  const pollMs = options.pollMs ?? 60_000;
  const { zone } = options;
  const standing = new Map<string, Announcement>();
  /** Since the node began to tell what stands: what it has told of, and how much it has to tell. */
  let told = new Set<string>();
  let toTell = Number.POSITIVE_INFINITY;
  let shown = "";
  let expiry: Cancel = () => undefined;
  let over = false;
  const stopped = new AbortController();

  function tell(): void {
    expiry();
    if (over) return;
    const now = client.serverNow();
    for (const [id, { endsAt }] of standing) if (endsAt <= now) standing.delete(id);
    const list = [...standing.values()].sort(
      (a, b) => a.startsAt - b.startsAt || (a.announcementId < b.announcementId ? -1 : 1),
    );
    if (list.length > 0) {
      const nextMs = Math.min(...list.map(({ endsAt }) => endsAt)) - now;
      expiry = clock.after(Math.min(LONGEST_WAIT_MS, nextMs + 1), tell);
    }
    const text = JSON.stringify(list);
    if (text === shown) return;
    shown = text;
    handlers.changed(list);
  }

  /** Each comes in a message of its own: only when all that stand have come, what is not among them was taken back meanwhile. */
  function forgetOthers(): void {
    if (told.size < toTell) return;
    toTell = Number.POSITIVE_INFINITY;
    for (const id of standing.keys()) if (!told.has(id)) standing.delete(id);
    tell();
  }

  const poll = (): void => {
    if (over || client.state.name === "live" || client.state.name === "closed") return;
    client.http
      .get<{ readonly announcements: readonly Announcement[] }>("/v1/announcements", { zone }, stopped.signal)
      .then(({ announcements }) => {
        if (client.state.name === "live") return;
        standing.clear();
        for (const announcement of announcements) standing.set(announcement.announcementId, announcement);
        tell();
      })
      // The next poll, or the socket, brings it.
      .catch(() => undefined);
  };

  const subscription = client.subscribe(`${ANNOUNCEMENTS_CHANNEL}:${zone ?? EVERYWHERE}`, {
    subscribed({ top }) {
      told = new Set();
      toTell = top;
      forgetOthers();
    },
    state({ slot, body }) {
      told.add(slot);
      if (body === null) standing.delete(slot);
      else standing.set(slot, body as unknown as Announcement);
      forgetOthers();
      tell();
    },
    ended(error) {
      stop();
      handlers.ended?.(error);
    },
  });
  const polls = clock.every(pollMs, poll);

  function stop(): void {
    over = true;
    expiry();
    polls();
    stopped.abort();
    subscription.unsubscribe();
  }
  return { stop };
}
