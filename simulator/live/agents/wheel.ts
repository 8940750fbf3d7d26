/** Where a driver is. Moves along routes as time passes; owns no timers but the one of the wait in progress. */
import type { Point } from "../../../src/lib/geo.js";
import { type Place, placeAlong, type Route } from "../../city/mod.js";
import type { AgentContext } from "./context.js";

interface Drive {
  readonly route: Route;
  readonly fromWallMs: number;
}

export class Wheel {
  readonly #context: Pick<AgentContext, "clock" | "time" | "roads">;
  readonly #metersPerWallMs: number;
  #standing: Point;
  #drive: Drive | null = null;
  #interrupt: (() => void) | null = null;
  #stopped = false;

  constructor(context: Pick<AgentContext, "clock" | "time" | "roads">, start: Point, speedMetersPerSecond: number) {
    this.#context = context;
    this.#standing = start;
    this.#metersPerWallMs = (speedMetersPerSecond * context.time.scale) / 1000;
  }

  place(): Place & { readonly moving: boolean } {
    const drive = this.#drive;
    if (drive === null) return { point: this.#standing, bearing: 0, inTunnel: false, moving: false };
    const meters = (this.#context.clock.now() - drive.fromWallMs) * this.#metersPerWallMs;
    return { ...placeAlong(drive.route, meters), moving: meters < drive.route.meters };
  }

  /** Sets off; returns the route and how long it takes. Stands where it is if already there. */
  setOff(to: Point): { readonly route: Route; readonly wallMs: number } {
    const from = this.place().point;
    const route = this.#context.roads.route(from, to);
    this.#drive = { route, fromWallMs: this.#context.clock.now() };
    return { route, wallMs: route.meters / this.#metersPerWallMs };
  }

  /** Wall milliseconds until this many metres of the present route are behind. */
  wallMsFor(meters: number): number {
    return meters / this.#metersPerWallMs;
  }

  /** Stays here. */
  halt(): void {
    this.#standing = this.place().point;
    this.#drive = null;
  }

  /** True after `wallMs`; false when something changed before. */
  wait(wallMs: number): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    this.interrupt();
    return new Promise((resolve) => {
      const cancel = this.#context.clock.after(wallMs, () => {
        this.#interrupt = null;
        resolve(true);
      });
      this.#interrupt = () => {
        cancel();
        resolve(false);
      };
    });
  }

  /** Whoever waits looks again. */
  interrupt(): void {
    const interrupt = this.#interrupt;
    this.#interrupt = null;
    interrupt?.();
  }

  stop(): void {
    this.#stopped = true;
    this.interrupt();
  }
}
