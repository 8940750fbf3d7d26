/** A map of one trip: a few places, a line, one who moves. The map library comes when the first map is shown. */
import { useEffect, useRef } from "preact/hooks";
import type { Point } from "../../../src/lib/geo.js";
import { MissingMap, usePart } from "./part.js";
import type { TripDrawing } from "./trip-drawing.js";

export interface MapMark {
  readonly id: string;
  readonly kind: "restaurant" | "home" | "driver" | "me";
  readonly at: Point;
  readonly label: string;
  /** Its position is old. */
  readonly stale?: boolean;
}

export interface TripMapProps {
  readonly marks: readonly MapMark[];
  /** The way ahead, drawn below the marks. */
  readonly line: readonly Point[];
  readonly label: string;
  /** A person moves the pin by touching the map. */
  readonly onPick?: (point: Point) => void;
  readonly padding?: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };
}

export function TripMap(props: TripMapProps) {
  const container = useRef<HTMLDivElement>(null);
  const drawing = useRef<TripDrawing | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { part, missing } = usePart("trip-drawing", () => import("./trip-drawing.js"));
  useEffect(() => {
    if (part === null || container.current === null) return;
    const made = part.drawTrip(container.current, latest.current.label, (point) => latest.current.onPick?.(point));
    drawing.current = made;
    made.show(latest.current);
    return () => {
      made.remove();
      drawing.current = null;
    };
  }, [part]);
  useEffect(() => {
    drawing.current?.show(props);
  });
  return (
    <div ref={container} class="map">
      {missing !== null && <MissingMap why={missing} />}
    </div>
  );
}
