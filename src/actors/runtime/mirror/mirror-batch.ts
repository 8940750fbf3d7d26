/**
 * Collects mirror entries for a short while and hands the newest of each key on; whoever is near has heard each of them
 * already. Bounded by keys: when full it is emptied at once.
 */

import type { Cancel, Clock } from "../../../lib/clock.js";
import type { Json } from "../../../lib/json.js";
import type { MirrorEntry, MirrorPort } from "../ports.js";

export class MirrorBatch {
  readonly #port: MirrorPort;
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #limit: number;
  #entries = new Map<string, MirrorEntry>();
  #cancel: Cancel | null = null;

  constructor(port: MirrorPort, clock: Clock, delayMs: number, limit: number) {
    this.#port = port;
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#limit = limit;
  }

  wants(key: string, value: Json): boolean {
    return this.#port.wants?.(key, value) ?? true;
  }

  put(entry: MirrorEntry): void {
    if (this.#port.atOnce?.(entry) === false) return;
    this.#entries.set(entry.key, entry);
    if (this.#entries.size >= this.#limit) this.flush();
    else this.#cancel ??= this.#clock.after(this.#delayMs, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#entries.size === 0) return;
    const entries = [...this.#entries.values()];
    this.#entries = new Map();
    this.#port.write(entries);
  }
}
