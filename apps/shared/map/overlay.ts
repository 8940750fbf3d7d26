/**
 * Drivers and orders, drawn on a canvas above the base map in step with it. A canvas of our own, because thousands of
 * moving marks would otherwise travel through the map's worker for every frame.
 *
 * Owns: what is drawn and what is under a finger. Does not own the data (the page) or the camera (`city-view.tsx`).
 */
import type { Map as BaseMap } from "maplibre-gl";
import type { CityOrder, CityPicture } from "../../../sdk/mod.js";
import { type Stage, stageColor, stageOf } from "../stages.js";
import { themeColor } from "../theme.js";
import type { Motions } from "./motion.js";
import { makePucks, PUCK_SIZE, type Pucks } from "./pucks.js";
import type { Selection } from "./selection.js";

const DRAWN_STAGES = ["placed", "cooking", "waiting", "on_the_way"] as const;
type DrawnStage = (typeof DRAWN_STAGES)[number];

/** How far a finger may be from what it means, in CSS pixels. */
const REACH_PIXELS = 18;
/** Above so many orders their lines would hide the city: they thin out. */
const MANY_ORDERS = 150;

interface Xy {
  readonly x: number;
  readonly y: number;
}

interface Drawn {
  readonly order: CityOrder;
  readonly from: Xy;
  readonly to: Xy;
}

export class Overlay {
  readonly canvas = document.createElement("canvas");
  readonly #context = this.canvas.getContext("2d")!;
  readonly #map: BaseMap;
  readonly #motions: Motions;
  #density = 1;
  #width = 0;
  #height = 0;
  #pucks: Pucks;
  #colors: Readonly<Record<DrawnStage | "edge" | "ink", string>>;

  constructor(map: BaseMap, motions: Motions) {
    this.#map = map;
    this.#motions = motions;
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    this.#pucks = makePucks(1);
    this.#colors = readColors();
    this.resize();
  }

  resize(): void {
    const box = this.#map.getContainer().getBoundingClientRect();
    this.#density = Math.min(2, window.devicePixelRatio || 1);
    this.#width = box.width;
    this.#height = box.height;
    this.canvas.width = Math.round(box.width * this.#density);
    this.canvas.height = Math.round(box.height * this.#density);
    this.repaint();
  }

  /** The theme has changed. */
  repaint(): void {
    this.#pucks = makePucks(this.#density);
    this.#colors = readColors();
  }

  draw(picture: CityPicture, selection: Selection | null, nowMs: number): void {
    const context = this.#context;
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    const chosen = selection?.id ?? null;
    const byStage = this.#project(picture, nowMs);
    const many = Math.min(1, MANY_ORDERS / Math.max(1, picture.size.orders));
    const dim = selection === null ? 1 : 0.35;
    for (const stage of DRAWN_STAGES) this.#lines(stage, byStage[stage], many * dim);
    for (const stage of DRAWN_STAGES) this.#marks(stage, byStage[stage], selection === null ? 1 : 0.45);
    for (const stage of DRAWN_STAGES) {
      for (const drawn of byStage[stage]) {
        if (drawn.order.id === chosen || drawn.order.driverId === chosen) this.#chosenOrder(stage, drawn);
      }
    }
    this.#drivers(picture, selection, nowMs);
    if (selection?.kind === "driver") this.#chosenDriver(selection.id, nowMs);
  }

  /** What is drawn nearest to a point of the page, drivers before orders. */
  pick(at: Xy, picture: CityPicture, nowMs: number): Selection | null {
    let best: Selection | null = null;
    let bestDistance = REACH_PIXELS;
    const consider = (kind: Selection["kind"], id: string, xy: Xy, handicap: number): void => {
      const distance = Math.hypot(xy.x - at.x, xy.y - at.y) + handicap;
      if (distance >= bestDistance) return;
      bestDistance = distance;
      best = { kind, id };
    };
    for (const { id } of picture.drivers()) {
      const where = this.#motions.where(id, nowMs);
      if (where !== null) consider("driver", id, this.#map.project(where.point), 0);
    }
    for (const order of picture.orders()) {
      consider("order", order.id, this.#xy(order.from), 3);
      consider("order", order.id, this.#xy(order.to), 3);
    }
    return best;
  }

  #xy([lat, lng]: readonly [number, number]): Xy {
    return this.#map.project([lng, lat]);
  }

  #inView({ x, y }: Xy, margin: number): boolean {
    return x > -margin && y > -margin && x < this.#width + margin && y < this.#height + margin;
  }

  #project(picture: CityPicture, nowMs: number): Readonly<Record<DrawnStage, readonly Drawn[]>> {
    const byStage: Record<DrawnStage, Drawn[]> = { placed: [], cooking: [], waiting: [], on_the_way: [] };
    for (const order of picture.orders()) {
      const stage: Stage = stageOf(order.status);
      if (stage === "delivered" || stage === "cancelled") continue;
      // Food that is on its way starts where its driver is.
      const driver =
        stage === "on_the_way" && order.driverId !== undefined ? this.#motions.where(order.driverId, nowMs) : null;
      const from = driver === null ? this.#xy(order.from) : this.#map.project(driver.point);
      byStage[stage].push({ order, from, to: this.#xy(order.to) });
    }
    return byStage;
  }

  #curve({ from, to }: Drawn): void {
    const context = this.#context;
    const bend = 0.16;
    context.moveTo(from.x, from.y);
    context.quadraticCurveTo(
      (from.x + to.x) / 2 + (to.y - from.y) * bend,
      (from.y + to.y) / 2 - (to.x - from.x) * bend,
      to.x,
      to.y,
    );
  }

  /** One path per stage, however many orders. */
  #lines(stage: DrawnStage, drawn: readonly Drawn[], strength: number): void {
    if (drawn.length === 0) return;
    const context = this.#context;
    const onTheWay = stage === "on_the_way";
    context.beginPath();
    for (const each of drawn) this.#curve(each);
    context.strokeStyle = this.#colors[stage];
    context.lineWidth = onTheWay ? 2.2 : 1.3;
    context.globalAlpha = Math.max(0.07, (onTheWay ? 0.8 : 0.42) * strength);
    context.setLineDash(onTheWay ? [] : [2, 5]);
    context.lineCap = "round";
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** Where the food is (filled, at the restaurant) and where it goes (hollow). */
  #marks(stage: DrawnStage, drawn: readonly Drawn[], strength: number): void {
    const context = this.#context;
    const scale = this.#scale();
    context.globalAlpha = strength;
    context.fillStyle = this.#colors[stage];
    context.strokeStyle = this.#colors.edge;
    context.lineWidth = 1.5;
    if (stage !== "on_the_way") {
      const radius = (stage === "waiting" ? 5 : 4) * scale;
      for (const { from } of drawn) {
        if (!this.#inView(from, 10)) continue;
        context.beginPath();
        context.arc(from.x, from.y, radius, 0, Math.PI * 2);
        context.fill();
        context.stroke();
      }
    }
    context.strokeStyle = this.#colors[stage];
    context.fillStyle = this.#colors.edge;
    context.lineWidth = 1.6;
    const side = 2.6 * scale;
    for (const { to } of drawn) {
      if (!this.#inView(to, 10)) continue;
      context.beginPath();
      context.rect(to.x - side, to.y - side, side * 2, side * 2);
      context.fill();
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #drivers(picture: CityPicture, selection: Selection | null, nowMs: number): void {
    const context = this.#context;
    const size = PUCK_SIZE * this.#scale();
    const order = selection?.kind === "order" ? picture.order(selection.id) : undefined;
    for (const driver of picture.drivers()) {
      const where = this.#motions.where(driver.id, nowMs);
      if (where === null) continue;
      const xy = this.#map.project(where.point);
      if (!this.#inView(xy, size)) continue;
      const concerned = selection === null || driver.id === selection.id || driver.id === order?.driverId;
      context.globalAlpha = concerned ? 1 : 0.4;
      if (driver.state === "on_trip" && !Number.isNaN(where.bearing)) {
        context.save();
        context.translate(xy.x, xy.y);
        context.rotate(((where.bearing - this.#map.getBearing()) * Math.PI) / 180);
        context.drawImage(this.#pucks.on_trip, -size / 2, -size / 2, size, size);
        context.restore();
      } else {
        const puck = driver.state === "on_trip" ? this.#pucks.still : this.#pucks[driver.state];
        context.drawImage(puck, xy.x - size / 2, xy.y - size / 2, size, size);
      }
    }
    context.globalAlpha = 1;
  }

  #chosenOrder(stage: DrawnStage, drawn: Drawn): void {
    const context = this.#context;
    context.beginPath();
    this.#curve(drawn);
    context.lineCap = "round";
    context.strokeStyle = this.#colors.edge;
    context.lineWidth = 6;
    context.stroke();
    context.strokeStyle = this.#colors[stage];
    context.lineWidth = 3.5;
    context.stroke();
    this.#marks(stage, [drawn], 1);
    this.#ring(drawn.to, 9, this.#colors[stage]);
  }

  #chosenDriver(id: string, nowMs: number): void {
    const where = this.#motions.where(id, nowMs);
    if (where !== null) this.#ring(this.#map.project(where.point), 15 * this.#scale(), this.#colors.ink);
  }

  #ring({ x, y }: Xy, radius: number, color: string): void {
    const context = this.#context;
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.lineWidth = 2.5;
    context.strokeStyle = color;
    context.stroke();
  }

  /** Marks shrink when the whole city is in view, and never grow out of proportion. */
  #scale(): number {
    return Math.min(1.15, Math.max(0.62, (this.#map.getZoom() - 9.5) / 4));
  }
}

function readColors(): Readonly<Record<DrawnStage | "edge" | "ink", string>> {
  return {
    placed: themeColor(stageColor("placed")),
    cooking: themeColor(stageColor("cooking")),
    waiting: themeColor(stageColor("waiting")),
    on_the_way: themeColor(stageColor("on_the_way")),
    edge: themeColor("--puck-edge"),
    ink: themeColor("--ink"),
  };
}
