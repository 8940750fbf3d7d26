/**
 * One connection between a device and one life of a node: two pipes and two ends.
 *
 * Owns: the handing over of what arrives to the node's process (never while it is paused or dead, and in order), and the
 * ways in which a connection ends: by either side, by a reset, or never. Does not own what is said on it.
 *
 * Invariants: an end is told at most once that the other is gone; after `drop` neither end hears anything.
 */
import type { Clock } from "../../../src/lib/clock.js";
import type { ProcessView } from "../ports.js";
import { Pipe, type PipeTraits } from "./pipe.js";

export interface LineTraits extends Omit<PipeTraits, "clock"> {
  readonly clock: Clock;
  /** Of the device, as servers see it. */
  readonly address: string;
  readonly device: string;
}

/** What one side hears of the other, beside the pieces that it was sent. */
export interface LineEnd {
  /** The connection is over: closed or reset by the other side. */
  gone(): void;
}

export class Line {
  readonly traits: LineTraits;
  readonly up: Pipe;
  readonly down: Pipe;
  client: LineEnd;
  server: LineEnd | null = null;
  #process: ProcessView | null = null;
  #queue: (() => void)[] = [];
  #over = false;
  #clientLeft = false;
  #serverLeft = false;
  readonly #forget: (() => void)[] = [];

  constructor(traits: LineTraits, client: LineEnd) {
    this.traits = traits;
    this.up = new Pipe(traits);
    this.down = new Pipe(traits);
    this.client = client;
  }

  /** Called once, when both sides have forgotten the connection. */
  onOver(forget: () => void): void {
    this.#forget.push(forget);
  }

  get over(): boolean {
    return this.#over;
  }

  /** The process that it leads to; null before it has been accepted. */
  get process(): ProcessView | null {
    return this.#process;
  }

  /** `machineAnswers`: whether the machine of a process that has died refuses what still comes for it. */
  accept(process: ProcessView, machineAnswers: () => boolean): void {
    this.#process = process;
    this.#machineAnswers = machineAnswers;
    this.down.onRoom = () => this.toServer(() => this.onRoom?.());
  }

  #machineAnswers: () => boolean = () => true;
  /** The server's writer has room again. */
  onRoom: (() => void) | null = null;

  /** Hands something to the node's process: now, when it is no longer paused, or never. */
  toServer(work: () => void): void {
    const process = this.#process;
    if (process === null || this.#over) return;
    if (process.clock.state === "dead") {
      if (this.#machineAnswers()) this.reset();
      return;
    }
    if (process.clock.state === "running" && this.#queue.length === 0) {
      work();
      return;
    }
    this.#queue.push(work);
    if (this.#queue.length > 1) return;
    process.clock.after(0, () => {
      const queue = this.#queue;
      this.#queue = [];
      for (const each of queue) if (!this.#over) each();
    });
  }

  /** The client's program lets go: what it has written still arrives, and then the server learns. */
  clientLeaves(): void {
    this.down.cut();
    this.client = NOBODY;
    this.#clientLeft = true;
    if (this.#process === null || this.#serverLeft) {
      this.drop();
      return;
    }
    this.up.finish(() =>
      this.toServer(() => {
        const server = this.server;
        this.drop();
        server?.gone();
      }),
    );
  }

  /** The server's process lets go in the same way. */
  serverLeaves(): void {
    this.up.cut();
    this.server = null;
    this.onRoom = null;
    this.#serverLeft = true;
    if (this.#clientLeft) {
      this.drop();
      return;
    }
    this.down.finish(() => this.#clientHearsTheEnd());
  }

  /** The server's machine answers with a reset, if its word arrives. */
  reset(): void {
    if (this.#over || !this.down.carries) return;
    this.traits.clock.after(this.traits.delayMs(), () => this.#clientHearsTheEnd());
  }

  #clientHearsTheEnd(): void {
    if (this.#over) return;
    const client = this.client;
    this.drop();
    client.gone();
  }

  /** Forgets the connection on both sides, without a word. */
  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.up.cut();
    this.down.cut();
    this.#queue = [];
    this.onRoom = null;
    this.client = NOBODY;
    this.server = null;
    for (const forget of this.#forget) forget();
  }
}

const NOBODY: LineEnd = { gone() {} };
