/** The map as a component: the base map, the overlay, the camera. */
import { effect, type ReadonlySignal, type Signal } from "@preact/signals";
import { Map as BaseMap, setWorkerUrl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { useEffect, useRef } from "preact/hooks";
import type { CityPicture } from "../../../sdk/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { theme } from "../theme.js";
import type { Bounds, CityMap } from "./city.js";
import { Motions } from "./motion.js";
import { Overlay } from "./overlay.js";
import type { Selection } from "./selection.js";
import { cityStyle, repaint } from "./style.js";

setWorkerUrl(workerUrl);

/** What the map shows and tells: the page owns all of it. */
export interface CityViewModel {
  readonly clock: Clock;
  picture(): CityPicture | null;
  /** Rises with every change of the picture. */
  readonly revision: ReadonlySignal<number>;
  readonly selection: ReadonlySignal<Selection | null>;
  /** Whether the camera stays with the chosen driver. */
  readonly following: Signal<boolean>;
  select(chosen: Selection | null): void;
  /** Room for the page's panels, in CSS pixels. */
  room(withCard: boolean): Padding;
}

interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

function box({ west, south, east, north }: Bounds): [[number, number], [number, number]] {
  return [
    [west, south],
    [east, north],
  ];
}

/** Moves the camera only if a panel or the window's edge hides what was chosen. */
function bringIntoView(map: BaseMap, model: CityViewModel, chosen: Selection, motions: Motions, still: boolean): void {
  const picture = model.picture();
  const order = chosen.kind === "order" ? picture?.order(chosen.id) : undefined;
  const carrier = chosen.kind === "driver" ? chosen.id : order?.driverId;
  const driver = carrier === undefined ? null : motions.where(carrier, model.clock.monotonic());
  const points = driver === null ? [] : [driver.point];
  for (const end of order === undefined ? [] : [order.from, order.to]) points.push({ lat: end[0], lng: end[1] });
  if (points.length === 0) return;
  const free = model.room(true);
  const { clientWidth, clientHeight } = map.getContainer();
  const hidden = points.some((point) => {
    const { x, y } = map.project(point);
    return x < free.left || y < free.top || x > clientWidth - free.right || y > clientHeight - free.bottom;
  });
  if (!hidden) return;
  const lats = points.map((point) => point.lat);
  const lngs = points.map((point) => point.lng);
  const around = {
    west: Math.min(...lngs),
    south: Math.min(...lats),
    east: Math.max(...lngs),
    north: Math.max(...lats),
  };
  const roomy = { top: free.top + 24, bottom: free.bottom + 24, left: free.left + 24, right: free.right + 24 };
  map.fitBounds(box(around), {
    padding: roomy,
    maxZoom: Math.max(14.5, map.getZoom()),
    animate: !still,
    duration: 700,
  });
}

/** The whole city again; set while a map is shown. */
export const camera: { showAll: () => void; zoomBy: (steps: number) => void } = { showAll() {}, zoomBy() {} };

export function CityView({
  city,
  bounds,
  model,
}: {
  readonly city: CityMap;
  readonly bounds: Bounds;
  readonly model: CityViewModel;
}) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => open(container.current!, city, bounds, model), [city, bounds, model]);
  return <div ref={container} class="map" />;
}

function open(container: HTMLDivElement, city: CityMap, bounds: Bounds, model: CityViewModel): () => void {
  const { clock, revision, selection, following, select } = model;
  const cityPicture = model.picture;
  const padding = (): Padding => model.room(selection.peek() !== null);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const spanLng = bounds.east - bounds.west;
  const spanLat = bounds.north - bounds.south;
  const map = new BaseMap({
    container,
    style: cityStyle(city),
    bounds: box(bounds),
    fitBoundsOptions: { padding: padding() },
    maxBounds: [
      [bounds.west - spanLng * 1.5, bounds.south - spanLat * 1.5],
      [bounds.east + spanLng * 1.5, bounds.north + spanLat * 1.5],
    ],
    maxZoom: 18,
    attributionControl: false,
    pitchWithRotate: false,
    dragRotate: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map
    .getCanvas()
    .setAttribute("aria-label", "Map of the city with drivers and orders; the lists beside it hold the same");

  const motions = new Motions(still);
  const overlay = new Overlay(map, motions);
  map.getCanvasContainer().appendChild(overlay.canvas);
  let dirty = true;
  const draw = (): void => {
    const picture = cityPicture();
    if (picture !== null) overlay.draw(picture, selection.peek(), clock.monotonic());
    dirty = false;
  };
  // While the base map moves, the overlay is drawn in the same frame as it is.
  map.on("render", draw);
  // Until somebody has moved it, the map shows the whole city, whatever room it is given.
  let moved = false;
  map.on("movestart", (event) => {
    if ((event as { originalEvent?: unknown }).originalEvent !== undefined) moved = true;
  });
  map.on("resize", () => {
    overlay.resize();
    dirty = true;
    if (!moved) map.fitBounds(box(bounds), { padding: padding(), animate: false });
  });

  let frame = 0;
  const tick = (): void => {
    const now = clock.monotonic();
    const chosen = selection.peek();
    if (following.peek() && chosen?.kind === "driver" && !map.isMoving()) {
      const where = motions.where(chosen.id, now);
      const { top, bottom, left, right } = padding();
      const offset: [number, number] = [(left - right) / 2, (top - bottom) / 2];
      if (where !== null) map.easeTo({ center: where.point, offset, duration: 0 });
    }
    if (!map.isMoving() && (dirty || motions.moving(now))) draw();
    frame = requestAnimationFrame(tick);
  };
  frame = requestAnimationFrame(tick);

  const stopData = effect(() => {
    revision.value;
    const picture = cityPicture();
    if (picture !== null) motions.update(picture.drivers(), clock.monotonic());
    dirty = true;
  });
  const stopSelection = effect(() => {
    const chosen = selection.value;
    dirty = true;
    if (chosen !== null) bringIntoView(map, model, chosen, motions, still);
  });
  let painted = theme.peek();
  const stopTheme = effect(() => {
    const next = theme.value;
    if (next === painted) return;
    painted = next;
    // The attribute on the document changes in the same turn, after this effect.
    queueMicrotask(() => {
      repaint(map);
      overlay.repaint();
      dirty = true;
    });
  });

  map.on("click", (event) => {
    const picture = cityPicture();
    if (picture !== null) select(overlay.pick(event.point, picture, clock.monotonic()));
  });
  map.on("mousemove", (event) => {
    const picture = cityPicture();
    const over = picture === null ? null : overlay.pick(event.point, picture, clock.monotonic());
    map.getCanvas().style.cursor = over === null ? "" : "pointer";
  });
  map.on("dragstart", () => {
    following.value = false;
  });
  camera.showAll = () => {
    moved = false;
    following.value = false;
    map.fitBounds(box(bounds), { padding: padding(), animate: !still });
  };
  camera.zoomBy = (steps) => {
    moved = true;
    map.zoomTo(map.getZoom() + steps, { animate: !still });
  };

  return () => {
    cancelAnimationFrame(frame);
    stopData();
    stopSelection();
    stopTheme();
    map.remove();
  };
}
