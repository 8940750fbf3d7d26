/** Announcements that stand for whoever is signed in, below the top bar, until they are over or put away on this device. */
import { computed, signal } from "@preact/signals";
import { type Announcement, type Client, watchAnnouncements } from "../../../sdk/mod.js";
import { clock } from "../clock.js";
import { IconButton } from "../kit/controls.js";
import { AlertIcon, BellIcon, CloseIcon } from "../kit/icons.js";

const KEY = "swift-eats.news.seen";
/** Ids of those that were put away, the latest last. */
const MOST_SEEN = 100;

const standing = signal<readonly Announcement[]>([]);
const seen = signal<readonly string[]>(restore());
const unseen = computed(() => standing.value.filter(({ announcementId }) => !seen.value.includes(announcementId)));

export function followNews(client: Client): void {
  watchAnnouncements(client, { changed: (list) => (standing.value = list) }, { clock });
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
            {text}
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
