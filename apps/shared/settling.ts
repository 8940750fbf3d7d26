/** What has just come to lie under a finger takes no touch: the second half of a double touch was meant for what was there. */
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { clock } from "./clock.js";

/** Longer than a double touch, shorter than a decision. */
const SETTLING_MS = 600;

/** For the class of what holds them: set while one of these is not where it was. More of them at the end move nothing. */
export function useSettling(shown: readonly string[]): "settling" | "" {
  const settling = useSignal(false);
  const before = useRef<readonly string[]>(shown);
  const text = shown.join(" ");
  useLayoutEffect(() => {
    const moved = before.current.some((each, index) => shown[index] !== each);
    before.current = shown;
    if (!moved) return;
    settling.value = true;
  }, [text]);
  useLayoutEffect(() => {
    if (!settling.value) return;
    return clock.after(SETTLING_MS, () => {
      settling.value = false;
    });
  }, [settling.value, text]);
  return settling.value ? "settling" : "";
}
