/**
 * Polling (R-TRK-1): the view of an order without touching its actor. Owns the bounded cache of what was read, the
 * merging of simultaneous reads into one, and the rule which position may be shown.
 *
 * Invariants: nobody sees an order that is not theirs; a position is shown only with exactly the grant that the view
 * holds open (rule 12); a view never goes back to an older version in this process; what could not be refreshed is
 * marked `fresh: false` and carries no position; a copied view answers no longer than `confirmedMs` after it was
 * written, or after the index was asked and knew no newer one.
 */
import type { MirrorEntry } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import { PrefixedBytes } from "../../lib/prefixed-bytes.js";
import type { OrderTracking, PositionView } from "../../protocol/mod.js";
import { fixKey, type MirroredFix, viewKey } from "./keys.js";
import type { IndexReader, MirrorCopy, MirrorReader } from "./ports.js";

export { fixKey, isFixKey, type MirroredFix, viewKey } from "./keys.js";
export type { IndexReader, MirrorCopy, MirrorReader } from "./ports.js";

export interface Viewer {
  readonly id: string;
  readonly role: string;
}

export interface Tracked {
  readonly ok: true;
  readonly tracking: OrderTracking;
  /** `{"view":…` and room for the rest, made once per version. */
  readonly document: PrefixedBytes;
  readonly position: PositionView | null;
  /** The position as JSON without its last brace, made once per fix. Null where there is none. */
  readonly positionJson: string | null;
  /** Another one whenever anything but the position's age is another. */
  readonly stamp: string;
  readonly fresh: boolean;
}
export type TrackResult = Tracked | { readonly ok: false; readonly code: "not_found" | "unavailable" };

export interface TrackingSettings {
  /** Orders remembered. */
  readonly maxCached: number;
  /** How long something read from the mirror or the index answers without being read again. */
  readonly viewMs: number;
  /** The same while the order is on its way and a position may move. */
  readonly movingMs: number;
  /**
   * How long a view that this process's copy was told answers, after the index said that it is the newest: so long may
   * what has been lost on the way to the copy stay unseen (rule 12).
   */
  readonly confirmedMs: number;
  /** Simultaneous misses are gathered for this long and read together. */
  readonly gatherMs: number;
  /** Orders in one read; more start another. */
  readonly maxBatch: number;
  /** Orders waiting to be read; more are `unavailable`. */
  readonly maxWaiting: number;
}

export const DEFAULT_TRACKING_SETTINGS: TrackingSettings = {
  maxCached: 50_000,
  viewMs: 5_000,
  movingMs: 2_000,
  confirmedMs: 10_000,
  gatherMs: 2,
  maxBatch: 200,
  maxWaiting: 20_000,
};

interface Entry {
  readonly orderId: string;
  /** Asked for since the hand came by that makes room. */
  used: boolean;
  /** Where its view is mirrored, and the fixes of `fixesOf`: made once, because every poll asks for both. */
  readonly viewKey: string;
  fixKey: string;
  fixesOf: string;
  tracking: OrderTracking;
  /** Of `tracking`, once somebody was shown it. */
  document: PrefixedBytes | null;
  fix: MirroredFix | null;
  /** Under which of this order's grants `fix` was sent. */
  fixGrant: number | undefined;
  /** Of `fix`, once somebody was shown it. */
  fixJson: string | null;
  /** Of what was answered last: of this version, with this position. */
  stamp: string;
  stampVersion: number;
  stampPosition: PositionView | null;
  /** Whose fix it is: versions of different drivers do not compare. */
  fixOf: string;
  fixVersion: readonly [number, number];
  /** When `fix` stops being live, ms since the epoch. */
  fixUntil: number;
  /** Monotonic; when the source was last asked. */
  readAt: number;
  /** The very entry of the copy that the index confirmed. */
  confirmed: MirrorEntry | null;
  /** Until when it answers, ms since the epoch. */
  confirmedUntil: number;
}

export interface TrackingStats {
  fromCopy: number;
  fromCache: number;
  mirrorReads: number;
  indexReads: number;
  stale: number;
}

export interface TrackingService {
  /** Answers at once when this process has it. `maxAgeMs` narrows how old a remembered read may be. */
  track(orderId: string, viewer: Viewer, maxAgeMs?: number): TrackResult | Promise<TrackResult>;
  /** The same where it can be answered at once; otherwise null, and nothing is read. */
  atHand(orderId: string, viewer: Viewer, maxAgeMs?: number): TrackResult | null;
  readonly stats: TrackingStats;
}

/** As many as are spared before somebody gives way all the same: what making room costs has a bound. */
const SPARED_AT_ONCE = 16;
/** For a position, its age, and the time. */
const DOCUMENT_ROOM = 256;
const NOT_FOUND: TrackResult = { ok: false, code: "not_found" };
const UNAVAILABLE: TrackResult = { ok: false, code: "unavailable" };
/** What a read found: the entry, nothing, or that no source answered. */
type Loaded = "found" | "none" | "unreachable";

export function createTrackingService(deps: {
  readonly clock: Clock;
  readonly copy: MirrorCopy | null;
  readonly mirror: MirrorReader | null;
  readonly index: IndexReader;
  readonly settings?: Partial<TrackingSettings>;
}): TrackingService {
  const { clock, copy, mirror, index } = deps;
  const settings = { ...DEFAULT_TRACKING_SETTINGS, ...deps.settings };
  const cache = new Map<string, Entry>();
  const stats: TrackingStats = { fromCopy: 0, fromCache: 0, mirrorReads: 0, indexReads: 0, stale: 0 };
  const waiting = new Map<string, { readonly promise: Promise<Loaded>; readonly settle: (loaded: Loaded) => void }>();
  let gathering: string[] = [];

  function keep(orderId: string, tracking: OrderTracking, known = cache.get(orderId)): Entry {
    let entry = known;
    if (entry === undefined) {
      if (cache.size >= settings.maxCached) makeRoom();
      entry = {
        orderId,
        used: false,
        viewKey: viewKey(orderId),
        fixKey: "",
        fixesOf: "",
        tracking,
        document: null,
        fix: null,
        fixGrant: undefined,
        fixJson: null,
        stamp: "",
        stampVersion: -1,
        stampPosition: null,
        fixOf: "",
        fixVersion: [0, 0],
        fixUntil: 0,
        readAt: Number.NEGATIVE_INFINITY,
        confirmed: null,
        confirmedUntil: 0,
      };
      cache.set(orderId, entry);
    } else {
      entry.used = true;
      if (tracking.version > entry.tracking.version) {
        entry.tracking = tracking;
        entry.document = null;
      }
    }
    return entry;
  }

  /** What was asked for once gives way first. Nothing is moved while there is room: this stands before every poll. */
  function makeRoom(): void {
    let spare = SPARED_AT_ONCE;
    for (const [orderId, entry] of cache) {
      cache.delete(orderId);
      if (!entry.used || spare-- <= 0) return;
      entry.used = false;
      cache.set(orderId, entry);
    }
  }

  /** The copy's newest fix of the driver whom this order's grant names. */
  function copiedFix(entry: Entry, driverId: string, now: number): MirrorEntry | null {
    if (copy === null) return null;
    if (entry.fixesOf !== driverId) {
      entry.fixesOf = driverId;
      entry.fixKey = fixKey(driverId);
    }
    const told = copy.told(entry.fixKey);
    // Expired: the copy forgets it when it is asked for.
    return told === null || told.expiresAt > now ? told : copy.get(entry.fixKey);
  }

  /** The newest of what was seen; the mirror writes only what is newer, but two sources may answer in any order. */
  function keepFix(entry: Entry, driverId: string, mirrored: MirrorEntry | null): void {
    const fix = (mirrored?.value ?? null) as MirroredFix | null;
    if (mirrored === null || fix === null) return;
    const [epoch, counter] = mirrored.version;
    const [knownEpoch, knownCounter] = entry.fixVersion;
    const older = epoch < knownEpoch || (epoch === knownEpoch && counter < knownCounter);
    if (older && entry.fixOf === driverId) return;
    if (entry.fix !== fix) {
      entry.fixJson = null;
      entry.fixGrant = fix.grants[entry.orderId];
    }
    entry.fix = fix;
    entry.fixOf = driverId;
    entry.fixVersion = mirrored.version;
    entry.fixUntil = mirrored.expiresAt;
  }

  /** False when a position may be shown and this process was told none. */
  function takeCopiedFix(entry: Entry, now: number): boolean {
    const { grant } = entry.tracking;
    if (grant === null) return true;
    const copied = copiedFix(entry, grant.driverId, now);
    keepFix(entry, grant.driverId, copied);
    return copied !== null;
  }

  function answer(entry: Entry, viewer: Viewer, fresh: boolean, now: number): TrackResult {
    const { tracking } = entry;
    if (!maySee(tracking, viewer)) return NOT_FOUND;
    entry.document ??= new PrefixedBytes(`{"view":${JSON.stringify(tracking.view)}`, DOCUMENT_ROOM);
    const position = fresh ? shown(entry, now) : null;
    if (position !== null) entry.fixJson ??= JSON.stringify(position).slice(0, -1);
    const positionJson = position === null ? null : entry.fixJson;
    return {
      ok: true,
      tracking,
      document: entry.document,
      position,
      positionJson,
      stamp: stampOf(entry, position),
      fresh,
    };
  }

  function stampOf(entry: Entry, position: PositionView | null): string {
    const { version } = entry.tracking;
    if (entry.stampVersion !== version || entry.stampPosition !== position) {
      entry.stamp = `${version}-${position?.at ?? 0}`;
      entry.stampVersion = version;
      entry.stampPosition = position;
    }
    return entry.stamp;
  }

  function atHand(orderId: string, viewer: Viewer, maxAgeMs = Number.POSITIVE_INFINITY): TrackResult | null {
    const now = clock.now();
    const known = cache.get(orderId);
    const copied = copiedView(known, orderId, maxAgeMs, now);
    if (copied !== null) {
      stats.fromCopy++;
      const entry = keep(orderId, copied.value as unknown as OrderTracking, known);
      // The copy's own view is current; a position that this process does not hold is looked for at its own pace.
      if (takeCopiedFix(entry, now) || mirror === null) return answer(entry, viewer, true, now);
    }
    const entry = known ?? cache.get(orderId);
    if (entry !== undefined) {
      entry.used = true;
      const ttlMs = entry.tracking.grant === null ? settings.viewMs : settings.movingMs;
      if (clock.monotonic() - entry.readAt < Math.min(ttlMs, maxAgeMs)) {
        stats.fromCache++;
        takeCopiedFix(entry, now);
        return answer(entry, viewer, true, now);
      }
      // Whoever may not see it learns nothing, and costs nothing.
      if (!maySee(entry.tracking, viewer)) return NOT_FOUND;
    }
    return null;
  }

  /** The view that this process was told last, as long as it was written or confirmed a short while ago. */
  function copiedView(known: Entry | undefined, orderId: string, maxAgeMs: number, now: number): MirrorEntry | null {
    const told = copy?.told(known?.viewKey ?? viewKey(orderId)) ?? null;
    if (told === null) return null;
    if (told.expiresAt > now) return told;
    if (known === undefined || known.confirmed !== told || known.confirmedUntil <= now) return null;
    return clock.monotonic() - known.readAt < maxAgeMs ? told : null;
  }

  function track(orderId: string, viewer: Viewer, maxAgeMs?: number): TrackResult | Promise<TrackResult> {
    const ready = atHand(orderId, viewer, maxAgeMs);
    if (ready !== null) return ready;
    return load(orderId).then((loaded) => {
      const found = cache.get(orderId);
      if (loaded === "none" || (loaded === "found" && found === undefined)) return NOT_FOUND;
      if (found === undefined) return UNAVAILABLE;
      if (loaded === "unreachable") stats.stale++;
      const now = clock.now();
      if (loaded === "found") takeCopiedFix(found, now);
      return answer(found, viewer, loaded === "found", now);
    });
  }

  function load(orderId: string): Promise<Loaded> {
    const underWay = waiting.get(orderId);
    if (underWay !== undefined) return underWay.promise;
    if (waiting.size >= settings.maxWaiting) return Promise.resolve("unreachable");
    let settle: (loaded: Loaded) => void = () => {};
    const promise = new Promise<Loaded>((resolve) => {
      settle = resolve;
    });
    waiting.set(orderId, { promise, settle });
    gathering.push(orderId);
    if (gathering.length === 1) clock.after(settings.gatherMs, readGathered);
    else if (gathering.length >= settings.maxBatch) readGathered();
    return promise;
  }

  function readGathered(): void {
    const orderIds = gathering;
    if (orderIds.length === 0) return;
    gathering = [];
    read(orderIds).then(
      (found) => {
        for (const orderId of orderIds) done(orderId, found.has(orderId) ? "found" : "none");
      },
      () => {
        for (const orderId of orderIds) done(orderId, "unreachable");
      },
    );
  }

  function done(orderId: string, loaded: Loaded): void {
    const one = waiting.get(orderId);
    waiting.delete(orderId);
    one?.settle(loaded);
  }

  /** The orders that were found; they are in the cache. Rejects when the index had to be asked and did not answer. */
  async function read(orderIds: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const readAt = clock.monotonic();
    const views = await fromMirror(orderIds.map(viewKey));
    for (const [i, orderId] of orderIds.entries()) {
      const entry = views[i] ?? null;
      if (entry === null) continue;
      keep(orderId, entry.value as unknown as OrderTracking);
      found.add(orderId);
    }
    const missing = orderIds.filter((orderId) => !found.has(orderId));
    if (missing.length > 0) {
      stats.indexReads++;
      const askedAt = clock.now();
      const rows = await index.queryIndex({ kind: "order", keys: missing, limit: missing.length });
      for (const row of rows) {
        const indexed = row.view as unknown as OrderTracking;
        confirm(keep(row.key, indexed), indexed.version, askedAt);
        found.add(row.key);
      }
    }
    const moving: { readonly entry: Entry; readonly driverId: string }[] = [];
    for (const orderId of found) {
      const entry = cache.get(orderId);
      if (entry === undefined) continue;
      entry.readAt = readAt;
      const { grant } = entry.tracking;
      if (grant !== null) moving.push({ entry, driverId: grant.driverId });
    }
    if (moving.length > 0) {
      const fixes = await fromMirror(moving.map(({ driverId }) => fixKey(driverId)));
      for (const [i, { entry, driverId }] of moving.entries()) keepFix(entry, driverId, fixes[i] ?? null);
    }
    return found;
  }

  /**
   * Whatever becomes of an order that lives on this node is told to this process. When what was told last is what the index
   * says, asking again soon would only find out what got lost on that way.
   */
  function confirm(entry: Entry, version: number, askedAt: number): void {
    const told = copy?.told(entry.viewKey) ?? null;
    if (told === null || (told.value as unknown as OrderTracking).version !== version) return;
    entry.confirmed = told;
    entry.confirmedUntil = askedAt + settings.confirmedMs;
  }

  /** The mirror may be lost: the index knows everything but where the driver is. */
  async function fromMirror(keys: readonly string[]): Promise<readonly (MirrorEntry | null)[]> {
    if (mirror === null) return [];
    stats.mirrorReads++;
    return mirror.read(keys).catch(() => []);
  }

  return { track, atHand, stats };
}

function maySee(tracking: OrderTracking, viewer: Viewer): boolean {
  switch (viewer.role) {
    case "customer":
      return tracking.customerId === viewer.id;
    case "restaurant":
      return tracking.restaurantId === viewer.id;
    case "support":
    case "admin":
      return true;
    default:
      return false;
  }
}

/** The position that may be shown: stamped with the very grant that the view holds open, and live. */
function shown(entry: Entry, now: number): PositionView | null {
  const { fix, tracking } = entry;
  const { grant } = tracking;
  if (fix === null || grant === null || tracking.view.status !== "picked_up") return null;
  if (entry.fixOf !== grant.driverId || entry.fixGrant !== grant.number || entry.fixUntil <= now) return null;
  return fix.position;
}
