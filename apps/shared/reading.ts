/** A read that a page depends on: loading, there, or failed and to be tried again. */
import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { SwiftEatsError } from "../../sdk/mod.js";
import { clock } from "./clock.js";
import { line } from "./line/node.js";

export type Reading<T> =
  | { readonly name: "loading" }
  | { readonly name: "ready"; readonly value: T }
  | { readonly name: "failed"; readonly error: unknown };

/** Reads again whenever one of `depends` changes; what was read stays on screen until the next is there. */
export function useReading<T>(
  read: (signal: AbortSignal) => Promise<T>,
  depends: readonly unknown[],
): {
  readonly reading: Reading<T>;
  readonly again: () => void;
  /** Reads again by itself: nobody has asked, so what fails leaves what is shown. */
  readonly refresh: () => void;
} {
  const state = useSignal<Reading<T>>({ name: "loading" });
  const turn = useSignal(0);
  const quiet = useRef(false);
  useEffect(() => {
    const isQuiet = quiet.current;
    quiet.current = false;
    const stop = new AbortController();
    if (state.peek().name === "failed") state.value = { name: "loading" };
    read(stop.signal).then(
      (value) => {
        if (!stop.signal.aborted) state.value = { name: "ready", value };
      },
      (error: unknown) => {
        if (stop.signal.aborted || (isQuiet && state.peek().name === "ready")) return;
        state.value = { name: "failed", error };
      },
    );
    return () => stop.abort();
  }, [...depends, turn.value]);
  const isLive = line.value === "live";
  useEffect(() => {
    // What failed for want of a line is there once the line is.
    const failed = state.peek();
    if (isLive && failed.name === "failed" && failed.error instanceof SwiftEatsError && failed.error.temporary) {
      turn.value += 1;
    }
  }, [isLive]);
  const again = useCallback(() => {
    turn.value += 1;
  }, [turn]);
  const refresh = useCallback(() => {
    if (state.peek().name !== "ready") return;
    quiet.current = true;
    turn.value += 1;
  }, [state, turn]);
  return { reading: state.value, again, refresh };
}

/** While somebody looks: what a page shows is read again every so often, and when they come back to it. */
export function useFreshness(refresh: () => void, everyMs: number): void {
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible" && line.peek() !== "lost") refresh();
    };
    const stop = clock.every(everyMs, look);
    document.addEventListener("visibilitychange", look);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", look);
    };
  }, [refresh, everyMs]);
}
