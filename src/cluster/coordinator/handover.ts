/**
 * Planned moves: a shard that another active member should own is given up by the keeper, given in the database, and
 * announced. A few at a time, so that a move is short and a node never gives up much at once.
 *
 * Invariant: a slot is taken from the start of a move to its end, and every move ends: what is not given up in time is
 * revoked and given all the same (the fences refuse what it may still write).
 */
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { MemberRow, OwnershipSession, ShardKeeper } from "../ports.js";
import type { Holdings } from "./holdings.js";
import type { Members } from "./members.js";
import type { CoordinatorSettings } from "./settings.js";

export interface HandoverOptions {
  readonly self: string;
  readonly settings: CoordinatorSettings;
  readonly members: Members;
  readonly holdings: Holdings;
  readonly keeper: ShardKeeper;
  readonly session: () => OwnershipSession | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly onGiven: (epochs: ReadonlyMap<number, number>, to: MemberRow) => void;
  /** A move did not succeed: look at the truth soon. */
  readonly onFailed: () => void;
}

export interface Handover {
  /** Starts moves as far as there is room. */
  pump(): void;
  /** Resolves when no move of these shards is under way. */
  settled(shards: readonly number[]): Promise<void>;
  /** How long the moves took, in milliseconds: from giving up until the database named the new owner. The newest 1,024. */
  pauses(): readonly number[];
  close(): void;
}

interface Move {
  readonly shard: number;
  readonly epoch: number;
  readonly startedAt: number;
}

interface Lane {
  waiting: (Move & { readonly resolve: () => void; readonly reject: (error: unknown) => void })[];
  busy: boolean;
}

const KEPT_PAUSES = 1_024;

export function createHandover(options: HandoverOptions): Handover {
  const { self, settings, members, holdings, keeper, clock, log } = options;
  const underWay = new Map<number, Promise<void>>();
  const notBefore = new Map<number, number>();
  const lanes = new Map<string, Lane>();
  const pauses: number[] = [];
  let closed = false;

  function pump(): void {
    if (closed || options.session() === null || underWay.size >= settings.movesAtOnce) return;
    const now = clock.monotonic();
    for (const shard of holdings.in("serving")) {
      if (underWay.size >= settings.movesAtOnce) return;
      const to = members.desiredOwner(shard);
      if (to === null || to === self || underWay.has(shard)) continue;
      if (!members.isReady(to) || (notBefore.get(shard) ?? 0) > now) continue;
      notBefore.delete(shard);
      const move = moveOne(shard, to).finally(() => {
        underWay.delete(shard);
        pump();
      });
      underWay.set(shard, move);
    }
  }

  async function moveOne(shard: number, to: string): Promise<void> {
    const startedAt = clock.monotonic();
    holdings.handOver(shard, to);
    let epoch = 0;
    let clean = false;
    try {
      clean = await released(shard);
      const holding = holdings.get(shard);
      // Lost meanwhile: a view said so, and it is revoked.
      if (closed || holding?.state !== "handing_over") return;
      epoch = holding.epoch;
      await give({ shard, epoch, startedAt }, to);
    } catch (error) {
      if (closed) return;
      log.warn({ shard, to, error: String(error) }, "A shard could not be handed over.");
      notBefore.set(shard, clock.monotonic() + settings.moveAgainMs);
      const holding = holdings.get(shard);
      if (holding?.state === "handing_over" && (epoch === 0 || holding.epoch === epoch)) holdings.letGo(shard, clean);
      options.onFailed();
    }
  }

  /** What was given up while a call was under way goes with the next one. Rejects when the shard was not given. */
  function give(move: Move, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const lane = lanes.get(to) ?? { waiting: [], busy: false };
      lanes.set(to, lane);
      lane.waiting.push({ ...move, resolve, reject });
      if (!lane.busy) void giveWaiting(lane, to);
    });
  }

  async function giveWaiting(lane: Lane, to: string): Promise<void> {
    lane.busy = true;
    while (lane.waiting.length > 0) {
      const moves = lane.waiting.splice(0);
      try {
        const session = options.session();
        const target = members.find(to);
        if (session === null || target === null) throw new Error("the database or the receiver is away");
        const given = await session.give(moves, to);
        if (!closed) settle(moves, given, target);
      } catch (error) {
        for (const { reject } of moves) reject(error);
      }
    }
    lanes.delete(to);
  }

  function settle(moves: Lane["waiting"], given: ReadonlyMap<number, number>, target: MemberRow): void {
    const now = clock.monotonic();
    for (const { shard, startedAt } of moves) {
      if (!given.has(shard)) continue;
      holdings.letGo(shard, true);
      pauses.push(now - startedAt);
      if (pauses.length > KEPT_PAUSES) pauses.shift();
    }
    if (given.size > 0) options.onGiven(given, target);
    for (const { shard, resolve, reject } of moves) {
      if (given.has(shard)) resolve();
      else reject(new Error("the database did not allow it"));
    }
  }

  /** False: it had to be revoked. */
  async function released(shard: number): Promise<boolean> {
    let cancel = (): void => undefined;
    const late = new Promise<"late">((resolve) => {
      cancel = clock.after(settings.releaseMs, () => resolve("late"));
    });
    const outcome = await Promise.race([keeper.release([shard]).then(() => "released" as const), late]);
    cancel();
    if (outcome === "late") {
      log.error({ shard, afterMs: settings.releaseMs }, "A shard was not given up in time and is revoked.");
      keeper.revoke([shard]);
    }
    return outcome === "released";
  }

  return {
    pump,
    async settled(shards) {
      await Promise.all(shards.map((shard) => underWay.get(shard)));
    },
    pauses: () => pauses,
    close() {
      closed = true;
    },
  };
}
