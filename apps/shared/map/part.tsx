/**
 * The part of a page that draws maps: large, and fetched when the first map is shown.
 *
 * A browser that could not fetch a script remembers so for as long as the page is open, and never asks for it again. So
 * nothing is asked for where there is no network and the device has not kept it; and where it fails all the same, a person
 * is told what helps.
 */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../clock.js";
import { Button } from "../kit/controls.js";

const AGAIN_MS = 1_000;

export type Missing = "offline" | "failed";

export interface Part<T> {
  readonly part: T | null;
  /** Why it is not there; null while it comes. */
  readonly missing: Missing | null;
}

/** `name`: what its file is called in front of its hash. */
export function usePart<T>(name: string, load: () => Promise<T>): Part<T> {
  const state = useSignal<Part<T>>({ part: null, missing: null });
  useEffect(() => {
    let gone = false;
    const tell = (next: Part<T>): void => {
      if (!gone) state.value = next;
    };
    const begin = (): void => {
      tell({ part: null, missing: null });
      load().then(
        (part) => tell({ part, missing: null }),
        () => tell({ part: null, missing: "failed" }),
      );
    };
    let stopWaiting = (): void => {};
    const beginOnceAnswered = (): void => {
      stopWaiting = clock.after(AGAIN_MS, () => {
        void nodeAnswers().then((answers) => {
          if (gone) return;
          if (answers) begin();
          else beginOnceAnswered();
        });
      });
    };
    if (navigator.onLine) begin();
    else {
      void isKept(name).then((kept) => {
        if (gone) return;
        if (kept || navigator.onLine) begin();
        else {
          tell({ part: null, missing: "offline" });
          addEventListener("online", beginOnceAnswered, { once: true });
        }
      });
    }
    return () => {
      gone = true;
      stopWaiting();
      removeEventListener("online", beginOnceAnswered);
    };
  }, []);
  return state.value;
}

const nodeAnswers = (): Promise<boolean> =>
  fetch("/livez", { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  );

async function isKept(name: string): Promise<boolean> {
  try {
    for (const each of await caches.keys()) {
      const kept = await (await caches.open(each)).keys();
      if (kept.some(({ url }) => new URL(url).pathname.startsWith(`/assets/${name}-`))) return true;
    }
  } catch {
    // A page that may keep nothing has kept nothing.
  }
  return false;
}

export function MissingMap({ why }: { readonly why: Missing }) {
  if (why === "offline") return <p class="map-missing soft">The map comes when there is a network.</p>;
  return (
    <div class="map-missing soft">
      <p>The map did not come through. Everything else works.</p>
      <Button kind="secondary" size="little" onClick={() => location.reload()}>
        Open the page again
      </Button>
    </div>
  );
}
