/**
 * What one line of a storm has heard, judged: every event of its channel once and in the channel's order. Owns the
 * counting, not the sockets. The server numbers the events of a channel 1, 2, 3… (its position); whoever published them gave
 * each a number of their own (null: an event that nobody of the storm published, such as an answer to one).
 *
 * Invariant: an event counts as delivered once, however often it comes.
 */
export interface LineTally {
  /** Of the last event that came in its turn. */
  readonly position: number;
  readonly delivered: number;
  /** Came again although it had been heard. */
  readonly repeated: number;
  /** Came although one before it had not. */
  readonly outOfOrder: number;
  /** Of every position and number in turn: lines of one channel that heard the same have the same. */
  readonly digest: number;
}

export class Tally implements LineTally {
  position = 0;
  delivered = 0;
  repeated = 0;
  outOfOrder = 0;
  digest = 0;
  readonly #heard = new Set<number>();

  event(position: number, number: number | null): void {
    if (position <= this.position) {
      this.repeated++;
      return;
    }
    if (position > this.position + 1) this.outOfOrder++;
    this.position = position;
    this.digest = (Math.imul(this.digest, 31) + Math.imul(position, 7) + (number ?? -1)) | 0;
    if (number === null) return;
    if (this.#heard.has(number)) this.repeated++;
    else {
      this.#heard.add(number);
      this.delivered++;
    }
  }
}

export interface Verdict {
  /** Published events times the lines that should have heard them. */
  readonly expected: number;
  readonly delivered: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  /** Channels whose lines did not all hear the same in the same order. */
  readonly disagreeing: number;
}

/** `published`: how many events the storm published, by channel; `lines`: with the channel of each. */
export function judge(
  published: readonly number[],
  lines: readonly (LineTally & { readonly channel: number })[],
): Verdict {
  let [expected, delivered, repeated, outOfOrder] = [0, 0, 0, 0];
  const digests = new Map<number, Set<string>>();
  for (const line of lines) {
    expected += published[line.channel] ?? 0;
    delivered += line.delivered;
    repeated += line.repeated;
    outOfOrder += line.outOfOrder;
    const seen = digests.get(line.channel) ?? new Set();
    digests.set(line.channel, seen.add(`${line.position}/${line.digest}`));
  }
  const disagreeing = [...digests.values()].filter(({ size }) => size > 1).length;
  return { expected, delivered, repeated, outOfOrder, disagreeing };
}
