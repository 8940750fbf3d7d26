/**
 * One direction of one proxied connection: reads one socket, writes the other, and does so late or not at all when the
 * weather says so. Its sender is read only while what waits is small, so the kernel holds the rest.
 */
import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../../src/lib/clock.js";

/** Shared by all connections of one direction. */
export interface Weather {
  /** False: nothing passes. */
  open: boolean;
  delayMs: number;
  bytes: number;
}

/** `end`: the sender has nothing more to say. `reset`: it is gone. */
type Parcel = { readonly due: number } & ({ readonly bytes: Buffer } | { readonly close: "end" | "reset" });

const MAX_WAITING_BYTES = 1024 * 1024;

export class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #clock: Clock;
  readonly #parcels: Parcel[] = [];
  #waitingBytes = 0;
  #full = false;
  #timer: Cancel | null = null;

  constructor(from: Socket, to: Socket, weather: Weather, clock: Clock) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#clock = clock;
    let failed = false;
    from.on("data", (bytes: Buffer) => {
      this.#waitingBytes += bytes.length;
      this.#take({ due: this.#due(), bytes });
    });
    from.once("end", () => this.#take({ due: this.#due(), close: "end" }));
    from.on("error", () => {
      failed = true;
    });
    from.once("close", () => {
      // After a clean end of both sides there is nothing left to tell.
      if (failed || !from.readableEnded) this.#take({ due: this.#due(), close: "reset" });
    });
    to.on("drain", () => {
      this.#full = false;
      this.look();
    });
    this.look();
  }

  /** The weather has changed, or may have. */
  look(): void {
    this.#timer?.();
    this.#timer = null;
    while (this.#weather.open && !this.#full) {
      const next = this.#parcels[0];
      if (next === undefined) break;
      // Healed weather delivers at once what was to be late.
      const waitMs = this.#weather.delayMs === 0 ? 0 : next.due - this.#clock.monotonic();
      if (waitMs > 0) {
        this.#timer = this.#clock.after(waitMs, () => this.look());
        break;
      }
      this.#parcels.shift();
      this.#deliver(next);
    }
    const mayRead = this.#weather.open && !this.#full && this.#waitingBytes < MAX_WAITING_BYTES;
    if (mayRead) this.#from.resume();
    else this.#from.pause();
  }

  #due(): number {
    return this.#clock.monotonic() + this.#weather.delayMs;
  }

  #take(parcel: Parcel): void {
    this.#parcels.push(parcel);
    this.look();
  }

  #deliver(parcel: Parcel): void {
    if ("close" in parcel) {
      if (parcel.close === "end") this.#to.end();
      else this.#to.resetAndDestroy();
      return;
    }
    this.#waitingBytes -= parcel.bytes.length;
    if (this.#to.destroyed || this.#to.writableEnded) return;
    this.#weather.bytes += parcel.bytes.length;
    this.#full = !this.#to.write(parcel.bytes);
  }
}
