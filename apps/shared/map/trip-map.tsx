/** A map of one trip: a few places, a line, one who moves. The map library comes when the first map is shown. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Point } from "../../../src/lib/geo.js";
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
  const missing = useSignal(false);
  latest.current = props;
  useEffect(() => {
    let gone = false;
    import("./trip-drawing.js").then(
      ({ drawTrip }) => {
        if (gone || container.current === null) return;
        drawing.current = drawTrip(container.current, latest.current.label, (point) => latest.current.onPick?.(point));
        drawing.current.show(latest.current);
      },
      // No network, and not kept yet: everything but the map works.
      () => {
        if (!gone) missing.value = true;
      },
    );
    return () => {
      gone = true;
      drawing.current?.remove();
      drawing.current = null;
    };
  }, []);
  useEffect(() => {
    drawing.current?.show(props);
  });
  return (
    <div ref={container} class="map">
      {missing.value && <p class="map-missing soft">The map comes when there is a network.</p>}
    </div>
  );
}
