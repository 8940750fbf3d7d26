/** The base map's style: the city's own streets, parks and water, without glyphs, sprites or tiles from anywhere. */
import type { GeoJSONSourceSpecification, StyleSpecification } from "maplibre-gl";
import { themeColor } from "../theme.js";
import type { CityMap } from "./city.js";

/** Line widths grow with the zoom so that streets keep their share of the city. */
const width = (at11: number, at18: number): unknown => [
  "interpolate",
  ["exponential", 1.6],
  ["zoom"],
  11,
  at11,
  18,
  at18,
];

const kind = (name: string): unknown => ["==", ["get", "kind"], name];
const street = (of: "major" | "minor"): unknown => ["all", kind("street"), ["==", ["get", "class"], of]];

/** Which colour each layer takes from the theme: also what changes when the theme does. */
const PAINTS = [
  { layer: "ground", property: "background-color", color: "--map-ground" },
  { layer: "park", property: "fill-color", color: "--map-park" },
  { layer: "water", property: "fill-color", color: "--map-water" },
  { layer: "minor-casing", property: "line-color", color: "--map-street-casing" },
  { layer: "major-casing", property: "line-color", color: "--map-major-casing" },
  { layer: "minor", property: "line-color", color: "--map-street-minor" },
  { layer: "major", property: "line-color", color: "--map-street-major" },
  { layer: "restaurants", property: "circle-color", color: "--map-restaurant" },
  { layer: "restaurants", property: "circle-stroke-color", color: "--map-ground" },
] as const;

const paintOf = (layer: string): Record<string, string> =>
  Object.fromEntries(PAINTS.filter((paint) => paint.layer === layer).map((p) => [p.property, themeColor(p.color)]));

export function cityStyle(city: CityMap): StyleSpecification {
  const line = (id: string, filter: unknown, lineWidth: unknown): unknown => ({
    id,
    type: "line",
    source: "city",
    filter,
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { ...paintOf(id), "line-width": lineWidth },
  });
  return {
    version: 8,
    sources: { city: { type: "geojson", data: city as unknown as GeoJSONSourceSpecification["data"], tolerance: 0.2 } },
    layers: [
      { id: "ground", type: "background", paint: paintOf("ground") },
      { id: "park", type: "fill", source: "city", filter: kind("park"), paint: paintOf("park") },
      { id: "water", type: "fill", source: "city", filter: kind("water"), paint: paintOf("water") },
      line("minor-casing", street("minor"), width(0.6, 26)),
      line("major-casing", street("major"), width(2.2, 44)),
      line("minor", street("minor"), width(0.4, 22)),
      line("major", street("major"), width(1.4, 38)),
      {
        id: "restaurants",
        type: "circle",
        source: "city",
        filter: kind("restaurant"),
        paint: {
          ...paintOf("restaurants"),
          "circle-radius": width(1.4, 7),
          "circle-stroke-width": width(0, 2),
        },
      },
    ],
  } as unknown as StyleSpecification;
}

export function repaint(map: { setPaintProperty(layer: string, property: string, value: string): unknown }): void {
  for (const { layer, property, color } of PAINTS) map.setPaintProperty(layer, property, themeColor(color));
}
