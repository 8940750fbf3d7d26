/**
 * What each shard worker of this node owns and until when the node may speak, in memory that all threads share: the main
 * thread grants and revokes, and every emission of every worker sees it at once, without a message.
 *
 * Owns: the layout of that memory. Does not own: the epochs' truth (the store) or the lease (the composition root).
 *
 * Invariants:
 * - a worker that was granted nothing owns nothing; a node that was given no time may say nothing;
 * - the deadline is compared on the monotonic and on the wall clock, as a machine that slept stops the first of them;
 * - a deadline that is being written is read as "say nothing", never as half of each.
 */
import { type ProcessTime, processTime } from "../../../lib/schedule.js";
import type { Ownership } from "../link.js";
import { SHARD_COUNT } from "../ports.js";

/**
 * Layout: [0] Int32, odd while the deadline is being written; [8] and [16] Float64, the deadline on the monotonic and the
 * wall clock in milliseconds; from [32] Int32, one epoch per worker and shard, 0 for none.
 */
const DEADLINE_BYTE = 8;
const EPOCHS_BYTE = 32;
const MAX_EPOCH = 2 ** 31 - 1;
const READ_TRIES = 8;

/** A moment on both clocks. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export interface OwnershipTable {
  /** Goes to the threads as it is. */
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;
  /** Shard → epoch, each from 1 to 2³¹ − 1. */
  grant(worker: number, epochs: ReadonlyMap<number, number>): void;
  /** Absent `shards`: everything of that worker. */
  revoke(worker: number, shards?: readonly number[]): void;
  epochOf(worker: number, shard: number): number | null;
  /** Now. Take it before the lease is asked for. */
  moment(): Moment;
  /** The node may speak until `leaseMs` after `since`. */
  extend(since: Moment, leaseMs: number): void;
  /** The lease is lost: no worker emits from now on. */
  silence(): void;
  mayEmit(): boolean;
}

interface Views {
  readonly sequence: Int32Array;
  readonly deadline: Float64Array;
  readonly epochs: Int32Array;
}

const viewsOf = (buffer: SharedArrayBuffer): Views => ({
  sequence: new Int32Array(buffer, 0, 1),
  deadline: new Float64Array(buffer, DEADLINE_BYTE, 2),
  epochs: new Int32Array(buffer, EPOCHS_BYTE),
});

function mayEmit({ sequence, deadline }: Views, time: ProcessTime): boolean {
  for (let tries = 0; tries < READ_TRIES; tries++) {
    const before = Atomics.load(sequence, 0);
    const [monotonic, wall] = [deadline[0] as number, deadline[1] as number];
    if (before % 2 === 0 && Atomics.load(sequence, 0) === before)
      return time.monotonic() < monotonic && time.now() < wall;
  }
  return false;
}

function epochAt({ epochs }: Views, worker: number, shard: number): number | null {
  if (shard < 0 || shard >= SHARD_COUNT) return null;
  const epoch = Atomics.load(epochs, worker * SHARD_COUNT + shard);
  return epoch === 0 ? null : epoch;
}

/** `time` must have the same origin on every thread that opens the table; the default does. */
export function createOwnershipTable(workers: number, time: ProcessTime = processTime): OwnershipTable {
  const buffer = new SharedArrayBuffer(EPOCHS_BYTE + workers * SHARD_COUNT * Int32Array.BYTES_PER_ELEMENT);
  const views = viewsOf(buffer);

  function setDeadline(monotonic: number, wall: number): void {
    Atomics.add(views.sequence, 0, 1);
    views.deadline[0] = monotonic;
    views.deadline[1] = wall;
    Atomics.add(views.sequence, 0, 1);
  }

  function checkWorker(worker: number): void {
    if (!Number.isInteger(worker) || worker < 0 || worker >= workers)
      throw new RangeError(`ownership: there is no worker ${worker} of ${workers}`);
  }

  return {
    buffer,
    workers,
    grant(worker, granted) {
      checkWorker(worker);
      for (const [shard, epoch] of granted) {
        if (!Number.isInteger(epoch) || epoch < 1 || epoch > MAX_EPOCH)
          throw new RangeError(`ownership: ${epoch} is no epoch (shard ${shard})`);
        if (!Number.isInteger(shard) || shard < 0 || shard >= SHARD_COUNT)
          throw new RangeError(`ownership: there is no shard ${shard}`);
      }
      for (const [shard, epoch] of granted) Atomics.store(views.epochs, worker * SHARD_COUNT + shard, epoch);
    },
    revoke(worker, shards) {
      checkWorker(worker);
      if (shards === undefined) {
        for (let shard = 0; shard < SHARD_COUNT; shard++) Atomics.store(views.epochs, worker * SHARD_COUNT + shard, 0);
      } else {
        for (const shard of shards) Atomics.store(views.epochs, worker * SHARD_COUNT + shard, 0);
      }
    },
    epochOf(worker, shard) {
      checkWorker(worker);
      return epochAt(views, worker, shard);
    },
    moment: () => ({ monotonic: time.monotonic(), wall: time.now() }),
    extend: (since, leaseMs) => setDeadline(since.monotonic + leaseMs, since.wall + leaseMs),
    silence: () => setDeadline(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY),
    mayEmit: () => mayEmit(views, time),
  };
}

/** One worker's view of the table. `worker` null: a thread that owns no shards but must not speak past the deadline. */
export function openOwnership(
  buffer: SharedArrayBuffer,
  worker: number | null,
  time: ProcessTime = processTime,
): Ownership {
  const views = viewsOf(buffer);
  return {
    epochOf: (shard) => (worker === null ? null : epochAt(views, worker, shard)),
    mayEmit: () => mayEmit(views, time),
  };
}
