/**
 * What happens to devices and their lines while chaos lasts: lost signal, lines that go silent, programs that send twice,
 * readers that are slow, and moments in which everybody reconnects.
 *
 * Owns: when, to whom, and how long, drawn from streams of its own. Does not own what it does to a line (`transport/`).
 * Invariant: after `clear` every device has its signal and no silent line, reads as it comes and sends once.
 */
import type { Cancel, Clock } from "../../../src/lib/clock.js";
import { type Random, randomInteger } from "../../../src/lib/random.js";
import { between, chance, exponential } from "../../city/mod.js";
import type { Faults, Streams } from "../ports.js";
import type { Device } from "../transport/mod.js";

/** At full intensity a device meets each kind about this often. */
const EVERY_MS = 15_000;
const STORM_EVERY_MS = 20_000;
const MAX_LOSS_MS = 30_000;
const MAX_SLOW_MS = 30_000;
const MAX_STUCK_MS = 40_000;
const KEEPS_ADDRESS = 0.6;
const MAX_REPEAT_CHANCE = 0.15;

export interface WeatherParts {
  /** The world's time. */
  readonly clock: Clock;
  readonly streams: Streams;
  readonly faults: Faults;
}

export class Weather {
  readonly #parts: WeatherParts;
  readonly #devices: Device[] = [];
  readonly #cancels = new Set<Cancel>();
  #over = false;

  constructor(parts: WeatherParts) {
    this.#parts = parts;
  }

  /** From now on everybody may lose their lines at once. */
  begin(): void {
    const storms = this.#parts.streams.of("weather storms");
    this.#nowAndThen(storms, "client_reconnect_storm", STORM_EVERY_MS, () => this.#storm(storms));
  }

  /** From now on this device stands in it. */
  add(device: Device): void {
    this.#devices.push(device);
    if (this.#over) return;
    const { streams, faults } = this.#parts;
    const random = streams.of(`weather ${device.name}`);
    device.repeat(faults.intensity("client_duplicate_send") * MAX_REPEAT_CHANCE);
    this.#nowAndThen(random, "client_signal_lost", EVERY_MS, () => {
      if (device.lost || device.openLines === 0) return;
      device.lose();
      faults.happened("client_signal_lost", device.name);
      const lostMs = 500 + randomInteger(random, chance(random, 0.5) ? 3_000 : MAX_LOSS_MS);
      const sameAddress = chance(random, KEEPS_ADDRESS);
      this.#later(lostMs, () => device.find(sameAddress));
    });
    this.#nowAndThen(random, "client_half_open", EVERY_MS, () => {
      const way = (["up", "down", "both"] as const)[randomInteger(random, 3)]!;
      if (device.openLines === 0) return;
      device.goSilent(way);
      faults.happened("client_half_open", device.name, way);
    });
    this.#nowAndThen(random, "client_slow_reader", EVERY_MS, () => {
      const bytesPerMs = chance(random, 0.4) ? 0 : between(random, 0.02, 1);
      const slowMs = 1_000 + randomInteger(random, MAX_SLOW_MS);
      if (device.openLines === 0) return;
      device.read(bytesPerMs);
      faults.happened("client_slow_reader", device.name, `${Math.round(bytesPerMs * 1000)} bytes a second`);
      this.#later(slowMs, () => device.read(Number.POSITIVE_INFINITY));
    });
    this.#nowAndThen(random, "client_stuck_reader", EVERY_MS, () => {
      this.#stick(device, 3_000 + randomInteger(random, MAX_STUCK_MS));
    });
  }

  /** The device may be put away within so many milliseconds: its app is frozen for a while and reads nothing. */
  putAway(device: Device, withinMs: number): void {
    const { streams, faults } = this.#parts;
    if (faults.intensity("client_stuck_reader") <= 0) return;
    const random = streams.of(`put away ${device.name}`);
    // No longer than an app bears to hear nothing: it would connect anew.
    const stuckMs = 15_000 + randomInteger(random, 14_000);
    this.#later(randomInteger(random, withinMs), () => this.#stick(device, stuckMs));
  }

  #stick(device: Device, stuckMs: number): void {
    if (device.openLines === 0 || this.#parts.faults.intensity("client_stuck_reader") <= 0) return;
    device.read(0);
    this.#parts.faults.happened("client_stuck_reader", device.name, `${stuckMs} ms`);
    this.#later(stuckMs, () => device.read(Number.POSITIVE_INFINITY));
  }

  /** The sky is clear from now on. */
  clear(): void {
    this.#over = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    for (const device of this.#devices) {
      device.find(true);
      device.endSilentLines();
      device.read(Number.POSITIVE_INFINITY);
      device.repeat(0);
    }
  }

  #storm(random: Random): void {
    const share = between(random, 0.3, 1);
    let count = 0;
    for (const device of this.#devices) {
      if (!chance(random, share) || device.openLines === 0) continue;
      device.cutLines();
      count++;
    }
    if (count > 0) this.#parts.faults.happened("client_reconnect_storm", "devices", `${count} at once`);
  }

  /** A Poisson process whose rate is the kind's intensity; a kind that never happens costs nothing. */
  #nowAndThen(random: Random, kind: Parameters<Faults["intensity"]>[0], everyMs: number, happen: () => void): void {
    const intensity = this.#parts.faults.intensity(kind);
    if (intensity <= 0) return;
    const next = (): void =>
      this.#later(Math.ceil(exponential(random, everyMs / intensity)), () => {
        if (this.#parts.faults.intensity(kind) > 0) happen();
        next();
      });
    next();
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      if (!this.#over) run();
    });
    this.#cancels.add(cancel);
  }
}
