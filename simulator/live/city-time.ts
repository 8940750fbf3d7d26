/** The city's clock: `timeScale` city seconds pass in one wall second. All conversions between the two are here. */
import type { Clock } from "../../src/lib/clock.js";

export interface CityTimeFacts {
  readonly timeScale: number;
  /** The wall time (ms since the epoch) at which the city's clock shows `startCityMs`. */
  readonly startWallMs: number;
  /** Milliseconds since the city's midnight. */
  readonly startCityMs: number;
}

export class CityTime {
  readonly facts: CityTimeFacts;
  readonly #clock: Clock;

  constructor(facts: CityTimeFacts, clock: Clock) {
    this.facts = facts;
    this.#clock = clock;
  }

  get scale(): number {
    return this.facts.timeScale;
  }

  nowCityMs(): number {
    return this.facts.startCityMs + (this.#clock.now() - this.facts.startWallMs) * this.facts.timeScale;
  }

  wallAt(cityMs: number): number {
    return this.facts.startWallMs + (cityMs - this.facts.startCityMs) / this.facts.timeScale;
  }

  /** Wall milliseconds from now until the city's clock shows `cityMs`; 0 when it already has. */
  untilWallMs(cityMs: number): number {
    return Math.max(0, this.wallAt(cityMs) - this.#clock.now());
  }

  wallMs(cityDurationMs: number): number {
    return cityDurationMs / this.facts.timeScale;
  }
}

/** `08:24:36` */
export function timeOfDay(cityMs: number): string {
  const seconds = Math.floor(cityMs / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
