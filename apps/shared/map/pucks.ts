/** Drivers as small pictures, drawn once per state, theme and density: ring = free, double ring = asked, arrow = on a trip. */
import type { CityDriver } from "../../../sdk/mod.js";
import { themeColor } from "../theme.js";

export type DriverState = CityDriver["state"];

export const DRIVER_COLOR: Readonly<Record<DriverState, string>> = {
  available: "--driver-available",
  offered: "--driver-offered",
  on_trip: "--driver-on-trip",
};

export const DRIVER_LABEL: Readonly<Record<DriverState, string>> = {
  available: "Available",
  offered: "Offered",
  on_trip: "On a trip",
};

/** Side of a puck's picture in CSS pixels. */
export const PUCK_SIZE = 26;

export type Pucks = Readonly<Record<DriverState | "still", HTMLCanvasElement>>;

function picture(density: number, draw: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(PUCK_SIZE * density);
  const context = canvas.getContext("2d")!;
  context.scale(density, density);
  context.translate(PUCK_SIZE / 2, PUCK_SIZE / 2);
  draw(context);
  return canvas;
}

function disc(context: CanvasRenderingContext2D, radius: number, fill: string): void {
  context.beginPath();
  context.arc(0, 0, radius, 0, Math.PI * 2);
  context.fillStyle = fill;
  context.fill();
}

function shadow(context: CanvasRenderingContext2D): void {
  context.shadowColor = "rgb(0 0 0 / 35%)";
  context.shadowBlur = 4;
  context.shadowOffsetY = 1;
}

function noShadow(context: CanvasRenderingContext2D): void {
  context.shadowColor = "transparent";
}

export function makePucks(density: number): Pucks {
  const edge = themeColor("--puck-edge");
  const color = (state: DriverState): string => themeColor(DRIVER_COLOR[state]);
  return {
    available: picture(density, (context) => {
      shadow(context);
      disc(context, 6.5, edge);
      noShadow(context);
      disc(context, 5, color("available"));
      disc(context, 2.2, edge);
    }),
    offered: picture(density, (context) => {
      context.beginPath();
      context.arc(0, 0, 10, 0, Math.PI * 2);
      context.lineWidth = 1.5;
      context.strokeStyle = color("offered");
      context.stroke();
      shadow(context);
      disc(context, 7, edge);
      noShadow(context);
      disc(context, 5.5, color("offered"));
    }),
    on_trip: picture(density, (context) => {
      shadow(context);
      context.beginPath();
      // A dart that points north; it is turned when it is drawn.
      context.moveTo(0, -10);
      context.lineTo(7.5, 8);
      context.lineTo(0, 4.2);
      context.lineTo(-7.5, 8);
      context.closePath();
      context.fillStyle = color("on_trip");
      context.fill();
      noShadow(context);
      context.lineWidth = 1.8;
      context.lineJoin = "round";
      context.strokeStyle = edge;
      context.stroke();
    }),
    still: picture(density, (context) => {
      shadow(context);
      disc(context, 7.5, edge);
      noShadow(context);
      disc(context, 6, color("on_trip"));
    }),
  };
}
