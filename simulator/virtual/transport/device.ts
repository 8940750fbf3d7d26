/**
 * One device: a phone, a tablet, a browser. Its lines to all nodes share its signal.
 *
 * Owns: the traits of its lines, drawn once; loss and return of the signal; lines that go silent; how fast it reads.
 * Does not own when any of this happens (the workload says it).
 *
 * Invariants: without signal nothing is opened and nothing arrives; after the return, a line either carries again what it
 * held or is silent for ever, as a phone keeps its address or gets another.
 */
import type { FetchLike, SocketConstructor } from "../../../sdk/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { type Random, randomInteger } from "../../../src/lib/random.js";
import { createFetch } from "./client-fetch.js";
import { socketClassOf } from "./client-socket.js";
import { Line, type LineEnd, type LineTraits } from "./line.js";
import type { Listener } from "./listener.js";

/** How a device's lines behave while nothing is wrong. Times in whole milliseconds, rates in bytes a millisecond. */
export interface LineHabits {
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Of pieces that are lost and sent again. */
  readonly lossChance: number;
  readonly bytesPerMs: number;
  readonly windowBytes: number;
}

export interface DeviceOptions {
  readonly name: string;
  /** The world's time: what its lines take. */
  readonly world: Clock;
  /** Its own clock: what its programs see. */
  readonly clock: Clock;
  readonly random: Random;
  readonly habits: LineHabits;
  readonly address: string;
  /** The life of a node that listens at this address, or why nobody does. */
  readonly listenerAt: (origin: string) => Listener | "refused" | "unreachable";
  /** It sends something once more than it meant to. */
  readonly repeated: (device: string) => void;
  /** For the trace: a message has been read by the other side. */
  readonly told: (device: string, way: "up" | "down", bytes: number, message: Uint8Array | string) => void;
}

const RESENT_AFTER_MS = 200;
const LATEST_REPEAT_MS = 5_000;

export class Device {
  readonly options: DeviceOptions;
  readonly WebSocket: SocketConstructor;
  readonly fetch: FetchLike;
  /** In order of opening. */
  readonly #lines = new Set<Line>();
  readonly #traits: LineTraits;
  /** Lines with an open socket, and since when (the world's time). */
  readonly #sockets = new Map<Line, number>();
  #lost = false;
  #repeatChance = 0;
  #readBytesPerMs = Number.POSITIVE_INFINITY;

  constructor(options: DeviceOptions) {
    this.options = options;
    const { habits, random, world: clock, address, name } = options;
    this.#traits = {
      clock,
      address,
      device: name,
      bytesPerMs: habits.bytesPerMs,
      windowBytes: habits.windowBytes,
      delayMs: () =>
        habits.delayMs +
        randomInteger(random, habits.jitterMs + 1) +
        (random.next() < habits.lossChance ? RESENT_AFTER_MS : 0),
    };
    this.WebSocket = socketClassOf(this);
    this.fetch = createFetch(this);
  }

  get name(): string {
    return this.options.name;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get openLines(): number {
    return this.#lines.size;
  }

  /** For how long one of its sockets has been open, on a line that carries; null when none is. */
  get connectedForMs(): number | null {
    let longest: number | null = null;
    const now = this.options.world.monotonic();
    for (const [line, since] of this.#sockets)
      if (!line.over && line.up.carries && line.down.carries) longest = Math.max(longest ?? 0, now - since);
    return longest;
  }

  get isConnected(): boolean {
    return this.connectedForMs !== null;
  }

  /** A socket of this device is open from now until its line is over. */
  socketOpened(line: Line): void {
    this.#sockets.set(line, this.options.world.monotonic());
    line.onOver(() => this.#sockets.delete(line));
  }

  socketClosed(line: Line): void {
    this.#sockets.delete(line);
  }

  /** How often its programs send a command or a position once more than they meant to. */
  repeat(chance: number): void {
    this.#repeatChance = chance;
  }

  /** Null: not this time. Otherwise how long after the first the second leaves. */
  repeatAfterMs(): number | null {
    const { random, repeated, name } = this.options;
    if (this.#repeatChance <= 0 || random.next() >= this.#repeatChance) return null;
    repeated(name);
    return random.next() < 0.5 ? 0 : randomInteger(random, LATEST_REPEAT_MS);
  }

  /** No signal: what is open is dead without a word, and nothing new can be opened. */
  lose(): void {
    this.#lost = true;
    for (const line of this.#lines) {
      line.up.hold();
      line.down.hold();
    }
  }

  /** The signal is back. `sameAddress`: the lines carry again; otherwise they are silent for ever. */
  find(sameAddress: boolean): void {
    if (!this.#lost) return;
    this.#lost = false;
    for (const line of this.#lines) {
      if (sameAddress) {
        line.up.release();
        line.down.release();
      } else {
        line.up.silence();
        line.down.silence();
      }
    }
  }

  /** Something between the device and the node forgets the open lines: from now on they swallow what goes this way. */
  goSilent(way: "up" | "down" | "both"): void {
    for (const line of this.#lines) {
      if (way !== "down") line.up.silence();
      if (way !== "up") line.down.silence();
    }
  }

  /** Ends lines that went silent, as whoever is between does at last: the device hears of it, the node does not. */
  endSilentLines(): void {
    for (const line of [...this.#lines]) {
      if (!line.up.isSilent && !line.down.isSilent) continue;
      const { client } = line;
      line.clientLeaves();
      client.gone();
    }
  }

  /** Cuts the open lines; both sides hear of it. */
  cutLines(): void {
    for (const line of [...this.#lines]) {
      const { client } = line;
      line.clientLeaves();
      client.gone();
    }
  }

  /** How fast it reads what nodes send; 0: not at all, infinite: as it comes. Holds for new lines too. */
  read(bytesPerMs: number): void {
    this.#readBytesPerMs = bytesPerMs;
    for (const line of this.#lines) line.down.read(bytesPerMs);
  }

  /**
   * Opens a connection. `ready` and `refused` are called here at the device; a machine that is down answers neither. What
   * is sent from `ready` on finds the listener's process.
   */
  open(origin: string, end: LineEnd, ready: (listener: Listener) => void, refused: () => void): Line {
    const line = new Line(this.#traits, end);
    line.onOver(() => this.#lines.delete(line));
    this.#lines.add(line);
    line.down.read(this.#readBytesPerMs);
    line.up.send(0, () => {
      const listener = this.options.listenerAt(origin);
      if (listener === "unreachable") return;
      if (listener === "refused") {
        line.down.send(0, () => {
          line.drop();
          refused();
        });
        return;
      }
      listener.accept(line);
      line.down.send(0, () => ready(listener));
    });
    return line;
  }
}
