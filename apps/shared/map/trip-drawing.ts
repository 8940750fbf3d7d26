/**
 * The drawing behind `trip-map.tsx`. Owns the base map, the pins and the camera; the camera shows everything once and
 * again when a new place comes, and otherwise stays where a person has moved it.
 */
import { Map as BaseMap, type GeoJSONSource, Marker, setWorkerUrl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import { effect } from "@preact/signals";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Point } from "../../../src/lib/geo.js";
import { clock } from "../clock.js";
import { theme, themeColor } from "../theme.js";
import { type CityMap, coveredBy, groundMap } from "./city.js";
import { Motions } from "./motion.js";
import { cityStyle, repaint } from "./style.js";
import type { MapMark, TripMapProps } from "./trip-map.js";

setWorkerUrl(workerUrl);

export interface TripDrawing {
  show(props: TripMapProps): void;
  remove(): void;
}

const PICTURES: Readonly<Record<MapMark["kind"], string>> = {
  restaurant:
    '<path d="M7 3.500v6.500M4.500 3.500V8a2.500 2.500 0 0 0 5 0V3.500M7 10.500v10M17.500 20.500v-17c-2.500 1-3.500 4-3.500 6.500 0 2 1 3.500 3.500 3.500"/>',
  home: '<path d="M4 11.500 12 4.500l8 7V19a1 1 0 0 1-1 1h-4.500v-5.500h-5V20H5a1 1 0 0 1-1-1z"/>',
  driver:
    '<circle cx="6" cy="17.500" r="2.500"/><circle cx="18" cy="17.500" r="2.500"/><path d="M8.500 17.500h6.500l1.500-8h-3.500M16 12.500l2 5M3.500 14.500c1-2 3-2.500 5-2.500h3.500"/>',
  me: '<path d="M12 4 19 20l-7-3.500L5 20z"/>',
};
const COLOR: Readonly<Record<MapMark["kind"], string>> = {
  restaurant: "#c2570c",
  home: "#12813f",
  driver: "#1d4fc4",
  me: "#1d4fc4",
};
const MOVING: ReadonlySet<MapMark["kind"]> = new Set(["driver", "me"]);
const EDGE_PIXELS = 24;
const PADDING = { top: 56, bottom: 56, left: 56, right: 56 };

export function drawTrip(container: HTMLElement, label: string, picked: (point: Point) => void): TripDrawing {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const motions = new Motions(still);
  const markers = new Map<string, Marker>();
  let props: TripMapProps | null = null;
  let map: BaseMap | null = null;
  let shownPlaces = "";
  /** A person has taken the map in hand: it stays as it was left, until there is a new place. */
  let taken = false;
  let frame = 0;
  let gone = false;

  void groundMap().then((city) => {
    if (gone) return;
    const bounds = boundsOf(city);
    map = new BaseMap({
      container,
      style: cityStyle(city),
      ...(bounds === null ? { center: [0, 0] as [number, number], zoom: 1 } : { bounds }),
      maxZoom: 18,
      attributionControl: false,
      pitchWithRotate: false,
      dragRotate: false,
      fadeDuration: 0,
      cooperativeGestures: false,
    });
    map.touchZoomRotate.disableRotation();
    map.getCanvas().setAttribute("aria-label", label);
    map.on("dragstart", () => {
      taken = true;
    });
    map.on("zoomstart", (event) => {
      if (event.originalEvent !== undefined) taken = true;
    });
    map.on("resize", () => {
      if (props !== null && props.marks.length > 0 && !taken) fit(props, true);
    });
    map.on("click", (event) => picked({ lat: event.lngLat.lat, lng: event.lngLat.lng }));
    map.on("load", () => {
      map!.addSource("way", { type: "geojson", data: wayOf([]) });
      const line = (id: string, color: string, width: number): void => {
        map!.addLayer({
          id,
          type: "line",
          source: "way",
          layout: { "line-cap": "round", "line-join": "round" },
          paint: { "line-color": color, "line-width": width },
        });
      };
      line("way-edge", themeColor("--puck-edge"), 8);
      line("way", themeColor("--stage-on-the-way"), 4.5);
      if (props !== null) apply(props);
    });
    if (props !== null) apply(props);
  });

  const tick = (): void => {
    const at = clock.monotonic();
    for (const [id, marker] of markers) {
      const where = motions.where(id, at);
      if (where !== null) marker.setLngLat(where.point);
    }
    frame = motions.moving(at) ? requestAnimationFrame(tick) : 0;
  };

  function apply(next: TripMapProps): void {
    if (map === null) return;
    const moving = next.marks.filter((mark) => MOVING.has(mark.kind));
    motions.update(
      moving.map((mark) => ({ id: mark.id, ...mark.at })),
      clock.monotonic(),
    );
    const wanted = new Set(next.marks.map(({ id }) => id));
    for (const [id, marker] of markers) {
      if (wanted.has(id)) continue;
      marker.remove();
      markers.delete(id);
    }
    for (const mark of next.marks) {
      let marker = markers.get(mark.id);
      if (marker === undefined) {
        marker = new Marker({ element: pin(mark) }).setLngLat(mark.at).addTo(map);
        markers.set(mark.id, marker);
      } else if (!MOVING.has(mark.kind)) marker.setLngLat(mark.at);
      marker.getElement().classList.toggle("stale", mark.stale === true);
      marker.getElement().setAttribute("aria-label", mark.label);
    }
    if (frame === 0 && motions.moving(clock.monotonic())) frame = requestAnimationFrame(tick);
    map.getSource<GeoJSONSource>("way")?.setData(wayOf(next.line));
    const places = [...wanted].sort().join(" ");
    const isNew = places !== shownPlaces;
    if (isNew) taken = false;
    if (next.marks.length > 0 && (isNew || (!taken && leaves(next)))) fit(next, shownPlaces === "");
    shownPlaces = places;
  }

  /** Somebody has moved to the edge of what is shown. */
  function leaves({ marks }: TripMapProps): boolean {
    const { clientWidth, clientHeight } = container;
    return marks.some(({ at }) => {
      const { x, y } = map!.project([at.lng, at.lat]);
      return x < EDGE_PIXELS || y < EDGE_PIXELS || x > clientWidth - EDGE_PIXELS || y > clientHeight - EDGE_PIXELS;
    });
  }

  function fit({ marks, line, padding }: TripMapProps, first: boolean): void {
    const points = [...marks.map(({ at }) => at), ...line];
    const lats = points.map(({ lat }) => lat);
    const lngs = points.map(({ lng }) => lng);
    map!.fitBounds(
      [
        [Math.min(...lngs), Math.min(...lats)],
        [Math.max(...lngs), Math.max(...lats)],
      ],
      { padding: padding ?? PADDING, maxZoom: 15.5, animate: !first && !still, duration: 700 },
    );
  }

  let painted = theme.peek();
  const stopTheme = effect(() => {
    const next = theme.value;
    if (next === painted) return;
    painted = next;
    queueMicrotask(() => {
      if (map === null || gone) return;
      repaint(map);
      if (map.getLayer("way") === undefined) return;
      map.setPaintProperty("way-edge", "line-color", themeColor("--puck-edge"));
      map.setPaintProperty("way", "line-color", themeColor("--stage-on-the-way"));
    });
  });

  return {
    show(next) {
      props = next;
      apply(next);
    },
    remove() {
      gone = true;
      cancelAnimationFrame(frame);
      stopTheme();
      map?.remove();
    },
  };
}

/** What the streets cover, until there is something to look at. */
function boundsOf(city: CityMap): [number, number, number, number] | null {
  const { west, south, east, north } = coveredBy(city, { west: 180, south: 90, east: -180, north: -90 });
  return west > east ? null : [west, south, east, north];
}

function pin({ kind, label }: MapMark): HTMLElement {
  const element = document.createElement("div");
  element.className = MOVING.has(kind) ? "pin dart" : "pin";
  element.style.setProperty("--pin", COLOR[kind]);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  element.innerHTML = `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PICTURES[kind]}</svg>`;
  return element;
}

type GeoJsonLine = Exclude<Parameters<GeoJSONSource["setData"]>[0], string>;

function wayOf(points: readonly Point[]): GeoJsonLine {
  return {
    type: "Feature",
    properties: {},
    geometry: { type: "LineString", coordinates: points.map(({ lat, lng }) => [lng, lat]) },
  };
}
