/**
 * The phone's positions, sent as the node wishes.
 *
 * Owns: sequence numbers, the cadence, the bounded store of fixes that the node has not acknowledged. Does not own the
 * phone's receiver: the application gives fixes by `offer` and learns by `onPolicy` when to run it.
 *
 * Invariants: nothing is sent or kept while the policy says not to send; a number is given to a fix when it is first
 * sent and never to another; the first frame after a reconnect holds the newest fix; at most `maxKept` fixes are kept,
 * none older than an hour, the oldest go first; within a frame fixes are in order of time; a fix that bears the
 * time of a device's clock that is plainly wrong leaves with the node's time. (Not the monotonic clock's: that one stands still on a phone that sleeps, and a fix from
 * before would be taken for a new one.) Where no socket comes through, frames go by HTTP, one at a time, under the same numbers.
 */
import type { Clock } from "../src/lib/clock.js";
import { type Random, uuidV7 } from "../src/lib/random.js";
import { type Fix, type GpsAck, type GpsBatch, type GpsPolicy, OP } from "../src/protocol/mod.js";
import type { Connection } from "./connection.js";

export interface PositionFix {
  readonly lat: number;
  readonly lng: number;
  readonly accuracyMeters: number;
  readonly speedMetersPerSecond?: number;
  /** Clockwise from north. */
  readonly bearingDegrees?: number;
  /** When the receiver measured it, ms since the epoch; now by default. */
  readonly at?: number;
}

export type OfferResult =
  /** Kept and, if connected, sent. */
  | "taken"
  /** The cadence does not ask for one yet. */
  | "too_soon"
  /** The node wants no positions now: stop the receiver. */
  | "off";

export interface GpsOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxKept: number;
  /** Another way for networks that let no socket through; null: positions wait for the socket. */
  readonly byHttp: PositionsByHttp | null;
}

export interface PositionsByHttp {
  /** How long there may be no socket before positions take this way, in milliseconds. */
  readonly afterMs: number;
  /** One try. What fails goes again with the next fix. */
  send(batch: GpsBatch): Promise<GpsAck>;
}

interface Kept {
  readonly at: number;
  /** `at` minus the device's clock when the fix was given: far from nothing where satellites tell the receiver the time. */
  readonly aheadMs: number;
  readonly fix: PositionFix;
}

const MAX_FIXES_PER_FRAME = 60;
/** The frame carries times as offsets of at most an hour. */
const MAX_AGE_MS = 3_590_000;
/** Neither an answer that took its time nor two clocks kept by others are further apart than this. */
const PLAINLY_WRONG_MS = 30_000;
/** While this much waits in the socket, newer fixes replace older ones here rather than queue there. */
const MAX_BUFFERED_BYTES = 32 * 1024;

export class Gps {
  readonly #options: GpsOptions;
  readonly bootId: string;
  #policy: GpsPolicy = { send: false, everyMs: 5000, reason: "off_shift" };
  #policyListener: ((policy: GpsPolicy) => void) | null = null;
  /** Sent with numbers `#sentFrom`…, not acknowledged. */
  #sent: Kept[] = [];
  #sentFrom = 0;
  /** Never sent, in order of time. */
  #unsent: Kept[] = [];
  #lastTakenAt = Number.NEGATIVE_INFINITY;
  /** When that was, monotonic. */
  #tookAtMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  /** The node refused a frame for now: the next one carries what is unacknowledged again. */
  #repeat = false;
  /** Monotonic; since when there is no socket. */
  #downSinceMs: number;
  /** A frame is on its way by HTTP. */
  #posting = false;

  constructor(options: GpsOptions) {
    this.#options = options;
    this.#downSinceMs = options.clock.monotonic();
    this.bootId = uuidV7(options.clock.now(), options.random);
  }

  get policy(): GpsPolicy {
    return this.#policy;
  }

  /** Fixes given up because nobody acknowledged them in time or there was no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Fixes that the node has not acknowledged. */
  get kept(): number {
    return this.#sent.length + this.#unsent.length;
  }

  /** Called with every change of the node's wish, and at once with the present one. */
  onPolicy(listener: (policy: GpsPolicy) => void): void {
    this.#policyListener = listener;
    listener(this.#policy);
  }

  /** The node's word, from the driver's channel. The client calls this by itself. */
  apply(policy: GpsPolicy): void {
    const before = this.#policy;
    this.#policy = policy;
    if (!policy.send) {
      // What was measured before the stop stays with the phone no longer than the wish to have it.
      this.#sentFrom += this.#sent.length;
      this.#sent = [];
      this.#unsent = [];
      this.#lastTakenAt = Number.NEGATIVE_INFINITY;
    }
    if (before.send !== policy.send || before.everyMs !== policy.everyMs || before.reason !== policy.reason) {
      this.#policyListener?.(policy);
    }
  }

  /** Gives one fix. Call it as often as the receiver reports; the cadence is kept here. */
  offer(fix: PositionFix): OfferResult {
    if (!this.#policy.send) return "off";
    const at = fix.at ?? this.#options.clock.now();
    // A receiver that fires every second is never exactly on the second.
    const toleranceMs = Math.min(500, this.#policy.everyMs / 4);
    const nowMs = this.#options.clock.monotonic();
    // The clock was set back, or a fix bore a time to come: what was measured until then has no time any more.
    if (at < this.#lastTakenAt && nowMs - this.#tookAtMs > PLAINLY_WRONG_MS) this.#forgetAll();
    if (at - this.#lastTakenAt < this.#policy.everyMs - toleranceMs) return "too_soon";
    this.#lastTakenAt = at;
    this.#tookAtMs = nowMs;
    this.#unsent.push({ at, aheadMs: at - this.#options.clock.now(), fix });
    this.#bound(at);
    this.#send();
    return "taken";
  }

  /** Everything up to `seq` has arrived. Another start's acknowledgement is not ours. */
  acknowledged(bootId: string, seq: number): void {
    if (bootId !== this.bootId) return;
    const count = Math.min(this.#sent.length, seq - this.#sentFrom + 1);
    if (count <= 0) return;
    this.#sent.splice(0, count);
    this.#sentFrom += count;
  }

  /** The node could not take a frame. Nothing is sent before the next fix: the cadence is the pace of repeating too. */
  refused(): void {
    this.#repeat = true;
  }

  /** A new socket: what the old one may have swallowed goes again under its old numbers, with the newest fix behind it. */
  live(): void {
    this.#repeat = true;
    if (this.#policy.send && this.kept > 0) this.#send();
  }

  /** The socket is gone. */
  lost(): void {
    this.#downSinceMs = this.#options.clock.monotonic();
  }

  #bound(now: number): void {
    while (this.#sent.length > 0 && this.#sent[0]!.at < now - MAX_AGE_MS) this.#dropSent();
    while (this.#unsent.length > 0 && this.#unsent[0]!.at < now - MAX_AGE_MS) {
      this.#unsent.shift();
      this.#dropped += 1;
    }
    while (this.kept > this.#options.maxKept) {
      if (this.#unsent.length > 1) this.#unsent.shift();
      else if (this.#sent.length > 0) {
        this.#dropSent();
        continue;
      } else return;
      this.#dropped += 1;
    }
  }

  /** What the time of a fix lacks to the node's, if it is the time of a clock that is plainly wrong. */
  #correctionMs({ aheadMs }: Kept): number {
    const { clock, connection } = this.#options;
    const lackMs = connection.serverNow() - clock.now();
    const byThatClock = Math.abs(aheadMs) < Math.abs(aheadMs - lackMs);
    return Math.abs(lackMs) > PLAINLY_WRONG_MS && byThatClock ? lackMs : 0;
  }

  /** Their numbers are used up all the same. */
  #forgetAll(): void {
    while (this.#sent.length > 0) this.#dropSent();
    this.#dropped += this.#unsent.length;
    this.#unsent = [];
    this.#lastTakenAt = Number.NEGATIVE_INFINITY;
  }

  #dropSent(): void {
    this.#sent.shift();
    this.#sentFrom += 1;
    this.#dropped += 1;
  }

  #send(): void {
    const { connection } = this.#options;
    if (connection.state.name !== "live") {
      this.#post();
      return;
    }
    if (connection.bufferedBytes > MAX_BUFFERED_BYTES) return;
    const batch = this.#nextBatch(this.#repeat);
    if (batch !== null) connection.send([OP.gps, batch.bootId, batch.seq0, batch.baseTs, batch.fixes]);
  }

  /** By HTTP each frame repeats what has no answer: there is no line that would have kept the order of two. */
  #post(): void {
    const { byHttp, clock, connection } = this.#options;
    if (byHttp === null || this.#posting || connection.state.name === "closed") return;
    if (clock.monotonic() - this.#downSinceMs < byHttp.afterMs) return;
    const batch = this.#nextBatch(true);
    if (batch === null) return;
    this.#posting = true;
    byHttp
      .send(batch)
      .then(({ bootId, seq }) => this.acknowledged(bootId, seq))
      // What failed goes again with the next fix, by whichever way there is then.
      .catch(() => this.refused())
      .finally(() => {
        this.#posting = false;
      });
  }

  /** What goes next, counted as sent. `again`: with what was sent and not acknowledged. Null: nothing. */
  #nextBatch(again: boolean): GpsBatch | null {
    this.#repeat = false;
    // One frame must carry all that is sent again and the newest fix besides.
    while (again && this.#sent.length >= MAX_FIXES_PER_FRAME) this.#dropSent();
    const repeated = again ? this.#sent : [];
    const room = MAX_FIXES_PER_FRAME - repeated.length;
    // The newest ones leave first; older ones follow with the next fixes, and count there as late.
    const fresh = this.#unsent.splice(Math.max(0, this.#unsent.length - room));
    const batch = [...repeated, ...fresh];
    if (batch.length === 0) return null;
    const seq0 = again ? this.#sentFrom : this.#sentFrom + this.#sent.length;
    const newest = batch[batch.length - 1]!;
    const baseTs = Math.round(newest.at + this.#correctionMs(newest));
    this.#sent.push(...fresh);
    return { bootId: this.bootId, seq0, baseTs, fixes: batch.map((kept) => wireFix(kept, newest.at)) };
  }
}

/** `base`: the time of the fix whose time is the frame's, before it is corrected. */
function wireFix({ at, fix }: Kept, base: number): Fix {
  return [
    Math.round(at - base),
    round(fix.lat, 1e6),
    round(fix.lng, 1e6),
    round(fix.accuracyMeters, 10),
    round(fix.speedMetersPerSecond ?? -1, 10),
    round(fix.bearingDegrees ?? -1, 10),
  ];
}

/** A tenth of a metre is finer than any phone measures; shorter numbers help JSON and do no harm to MessagePack. */
function round(value: number, scale: number): number {
  return Math.round(value * scale) / scale;
}
