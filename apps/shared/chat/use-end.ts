/** The end of a list that grows at both ends: it is followed until a person scrolls away from it. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

/** So near to the end, a person looks at it. */
const NEAR_PX = 80;

/** `oldest`: what the first line is; what comes before it moves nothing that is seen. `said`: how often the person has spoken. */
export function useEnd(list: RefObject<HTMLElement | null>, oldest: number, said: number): void {
  const follows = useRef(true);
  /** From the bottom of the list to what is seen. */
  const fromEnd = useRef(0);
  const first = useRef(oldest);
  const spoken = useRef(said);
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const scrolled = (): void => {
      fromEnd.current = element.scrollHeight - element.scrollTop;
      follows.current = fromEnd.current - element.clientHeight < NEAR_PX;
    };
    // A keyboard on the screen takes room from the list.
    const resized = new ResizeObserver(() => {
      if (follows.current) element.scrollTop = element.scrollHeight;
    });
    element.addEventListener("scroll", scrolled, { passive: true });
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", scrolled);
      resized.disconnect();
    };
  }, [list]);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    if (said > spoken.current) follows.current = true;
    spoken.current = said;
    if (follows.current) element.scrollTop = element.scrollHeight;
    else if (oldest < first.current) element.scrollTop = element.scrollHeight - fromEnd.current;
    first.current = oldest;
    fromEnd.current = element.scrollHeight - element.scrollTop;
  });
}
