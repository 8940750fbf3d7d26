/**
 * Announcements that stand for whoever is signed in, below the top bar, until they are over or put away on this device:
 * those for everywhere, and those for the part of the city that an app has said its person is in.
 */
import { computed, effect, signal } from "@preact/signals";
import { type Announcement, type Client, SwiftEatsError, watchAnnouncements } from "../../../sdk/mod.js";
import { sleep } from "../../../src/lib/clock.js";
import { distanceMeters, type Point } from "../../../src/lib/geo.js";
import { clock } from "../clock.js";
import { IconButton } from "../kit/controls.js";
import { AlertIcon, BellIcon, CloseIcon } from "../kit/icons.js";

const KEY = "swift-eats.news.seen";
/** Ids of those that were put away, the latest last. */
const MOST_SEEN = 100;
/** Zones are kilometres wide: who has gone less far is asked for no other. */
const FAR_METERS = 500;
const AGAIN_MS = 30_000;
/** A hundred metres: nobody has to know better where somebody is to say in which zone. */
const round = (degrees: number): number => Math.round(degrees * 1_000) / 1_000;

const standing = signal<readonly Announcement[]>([]);
const seen = signal<readonly string[]>(restore());
const unseen = computed(() => standing.value.filter(({ announcementId }) => !seen.value.includes(announcementId)));

const where = signal<Point | null>(null);

/** Where they are, or where the food goes. May be said as often as it is known. */
export function newsAt({ lat, lng }: Point): void {
  const last = where.peek();
  if (last === null || distanceMeters(last, { lat, lng }) >= FAR_METERS) where.value = { lat, lng };
}

/** Of somebody who is always at one place, which has to be read first. */
export async function newsFrom(read: () => Promise<Point>): Promise<void> {
  for (;;) {
    try {
      newsAt(await read());
      return;
    } catch (error) {
      if (!(error instanceof SwiftEatsError && error.temporary)) return;
      await sleep(clock, AGAIN_MS);
    }
  }
}

export function followNews(client: Client): void {
  const watch = (zone?: string) =>
    watchAnnouncements(
      client,
      { changed: (list) => (standing.value = list) },
      { clock, ...(zone === undefined ? {} : { zone }) },
    );
  let watched: string | undefined;
  let watching = watch();
  effect(() => {
    const point = where.value;
    if (point === null) return;
    let wanted = true;
    void (async () => {
      const zone = await zoneAt(client, point, () => wanted);
      if (!wanted || zone === watched) return;
      watched = zone;
      watching.stop();
      // What stands on the page stays until the new list is there.
      watching = watch(zone);
    })();
    return () => {
      wanted = false;
    };
  });
}

async function zoneAt(client: Client, { lat, lng }: Point, isWanted: () => boolean): Promise<string | undefined> {
  while (isWanted()) {
    try {
      const query = { lat: round(lat), lng: round(lng) };
      return (await client.http.get<{ readonly zone: string }>("/v1/city/zone", query)).zone;
    } catch {
      await sleep(clock, AGAIN_MS);
    }
  }
  return undefined;
}

export function News() {
  if (unseen.value.length === 0) return null;
  return (
    <section class="news" aria-label="Announcements">
      {unseen.value.map(({ announcementId, title, text, level }) => (
        <article
          key={announcementId}
          class={`notice ${level === "urgent" ? "bad" : level === "warning" ? "busy" : "info"}`}
        >
          {level === "info" ? <BellIcon /> : <AlertIcon />}
          <span class="grow" role={level === "info" ? "status" : "alert"}>
            <strong class="block">{title}</strong>
            <bdi>{text}</bdi>
          </span>
          <IconButton label={`Put away: ${title}`} onClick={() => putAway(announcementId)}>
            <CloseIcon />
          </IconButton>
        </article>
      ))}
    </section>
  );
}

function putAway(announcementId: string): void {
  seen.value = [...seen.value, announcementId].slice(-MOST_SEEN);
  try {
    localStorage.setItem(KEY, JSON.stringify(seen.value));
  } catch {
    // Away as long as the page lasts.
  }
}

function restore(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string") : [];
  } catch {
    return [];
  }
}
