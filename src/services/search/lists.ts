/**
 * Ranked lists, kept by cell and text: the cache of search. A list holds everybody who fits, open or not and whatever
 * the cuisine, so that one list serves every choice of filters and every page.
 *
 * Owns how many lists are kept and how one is brought up to date: a list remembers the change after which it was made,
 * and looks again at exactly the restaurants that changed since. A list is therefore never older than the catalogue, and
 * a change costs the lists that do not mention it nothing.
 *
 * Invariant: `listOf(query)` is what a scan of the whole catalogue would give at this moment.
 */
import type { Catalogue, Slot } from "./catalogue.js";
import { bestFirst } from "./order.js";
import type { Plan } from "./plan.js";
import { type RankQuery, type RankWeights, rankOf } from "./rank.js";

export interface RankedList {
  /** The best first; equal ones by id. */
  readonly slots: Int32Array;
  readonly scores: Float64Array;
  readonly diets: Uint32Array;
  /** 1: whether it delivers depends on the point. */
  readonly border: Uint8Array;
}

export interface ListStats {
  hits: number;
  misses: number;
  /** Hits on lists in which something had changed. */
  mended: number;
  evicted: number;
}

interface Held {
  /** Of the plan. The plan itself is large, and comes with every question. */
  readonly identity: string;
  list: RankedList;
  bytes: number;
  /** Number of the change after which the list was made. */
  change: number;
}

interface Member {
  readonly slot: Slot;
  readonly score: number;
  readonly diets: number;
  readonly border: boolean;
}

const LIST_BYTES = 600;
/** To look at a restaurant's menu costs as much as to go by so many entries of those who sell a text. */
const LOOK_COSTS = 64;
const MEMBER_BYTES = 17;

export class RankedLists {
  readonly stats: ListStats = { hits: 0, misses: 0, mended: 0, evicted: 0 };
  readonly #catalogue: Catalogue;
  readonly #weights: RankWeights;
  readonly #maxBytes: number;
  /** The one used longest ago first. */
  readonly #held = new Map<string, Held>();
  #bytes = 0;
  /** By slot, while candidates are looked for; all 0 besides. */
  #sells = new Uint8Array(0);

  constructor(catalogue: Catalogue, weights: RankWeights, maxBytes: number) {
    this.#catalogue = catalogue;
    this.#weights = weights;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#held.size;
  }
  get bytes(): number {
    return this.#bytes;
  }

  clear(): void {
    this.#held.clear();
    this.#bytes = 0;
  }

  listOf(query: RankQuery): RankedList {
    const key = `${query.cell.key} ${query.sort} ${query.withinMeters ?? ""} ${query.plan?.key ?? ""}`;
    const held = this.#held.get(key);
    // New words may have changed what the text means for restaurants that have not changed.
    if (held !== undefined && held.identity === identityOf(query)) {
      const changed = this.#catalogue.changedSince(held.change);
      if (changed !== null) {
        this.stats.hits++;
        this.#held.delete(key);
        this.#held.set(key, held);
        if (changed.size > 0) this.#mend(held, query, changed);
        return held.list;
      }
    }
    this.stats.misses++;
    if (held !== undefined) this.#drop(key, held);
    return this.#make(key, query);
  }

  #make(key: string, query: RankQuery): RankedList {
    const { changes } = this.#catalogue;
    const list = this.#rank(this.#candidates(query), query);
    const held: Held = { identity: identityOf(query), list, bytes: bytesOf(list), change: changes };
    this.#held.set(key, held);
    this.#bytes += held.bytes;
    this.#makeRoom();
    return list;
  }

  /** Whoever is near enough perhaps, and sells something that fits. */
  #candidates({ cell, plan, withinMeters }: RankQuery): Int32Array {
    const near = this.#catalogue.places.near(cell.center, cell.radiusMeters, withinMeters);
    if (plan === null) return near;
    let sellers = 0;
    for (const text of plan.fitting.texts) sellers += this.#catalogue.slotsWith(text).length;
    return sellers > near.length * LOOK_COSTS ? near : this.#sellersAmong(near, plan);
  }

  #sellersAmong(near: Int32Array, plan: Plan): Int32Array {
    const { size } = this.#catalogue;
    const sells = this.#sells.length < size ? new Uint8Array(size * 2) : this.#sells;
    this.#sells = sells;
    for (const text of plan.fitting.texts) for (const slot of this.#catalogue.slotsWith(text)) sells[slot] = 1;
    const sellers = near.filter((slot) => sells[slot] === 1);
    sells.fill(0);
    return sellers;
  }

  #rank(candidates: Int32Array, query: RankQuery): RankedList {
    const slots = new Int32Array(candidates.length);
    const scores = new Float64Array(candidates.length);
    const diets = new Uint32Array(candidates.length);
    const border = new Uint8Array(candidates.length);
    let count = 0;
    for (const slot of candidates) {
      const ranked = rankOf(this.#catalogue, slot, query, this.#weights);
      if (ranked === null) continue;
      slots[count] = slot;
      scores[count] = ranked.score;
      diets[count] = ranked.diets;
      border[count++] = ranked.border ? 1 : 0;
    }
    const order = bestFirst(
      scores.subarray(0, count),
      (a, b) => scores[b]! - scores[a]! || (this.#idOf(slots[a]!) < this.#idOf(slots[b]!) ? -1 : 1),
    );
    const list: RankedList = {
      slots: new Int32Array(count),
      scores: new Float64Array(count),
      diets: new Uint32Array(count),
      border: new Uint8Array(count),
    };
    for (let i = 0; i < count; i++) {
      const place = order[i]!;
      list.slots[i] = slots[place]!;
      list.scores[i] = scores[place]!;
      list.diets[i] = diets[place]!;
      list.border[i] = border[place]!;
    }
    return list;
  }

  #memberOf(slot: Slot, query: RankQuery): Member | null {
    if (this.#catalogue.at(slot) === null) return null;
    const ranked = rankOf(this.#catalogue, slot, query, this.#weights);
    return ranked === null ? null : { slot, ...ranked };
  }

  #compare(a: Pick<Member, "slot" | "score">, b: Pick<Member, "slot" | "score">): number {
    if (a.score !== b.score) return b.score - a.score;
    return this.#idOf(a.slot) < this.#idOf(b.slot) ? -1 : 1;
  }

  readonly #idOf = (slot: Slot): string => this.#catalogue.at(slot)!.restaurantId;

  #mend(held: Held, query: RankQuery, changed: ReadonlySet<Slot>): void {
    const { changes } = this.#catalogue;
    const { slots, scores, diets, border } = held.list;
    const fresh: Member[] = [];
    for (const slot of changed) {
      const member = this.#memberOf(slot, query);
      if (member !== null) fresh.push(member);
    }
    held.change = changes;
    if (fresh.length === 0 && !slots.some((slot) => changed.has(slot))) return;
    fresh.sort((a, b) => this.#compare(a, b));
    const members: Member[] = [];
    let next = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (changed.has(slot)) continue;
      const old: Member = { slot, score: scores[i]!, diets: diets[i]!, border: border[i] === 1 };
      while (next < fresh.length && this.#compare(fresh[next]!, old) < 0) members.push(fresh[next++]!);
      members.push(old);
    }
    members.push(...fresh.slice(next));
    held.list = pack(members);
    this.#bytes += bytesOf(held.list) - held.bytes;
    held.bytes = bytesOf(held.list);
    this.stats.mended++;
  }

  #drop(key: string, held: Held): void {
    this.#held.delete(key);
    this.#bytes -= held.bytes;
  }

  #makeRoom(): void {
    for (const [key, held] of this.#held) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(key, held);
      this.stats.evicted++;
    }
  }
}

const identityOf = ({ plan }: RankQuery): string => plan?.identity ?? "";

function pack(members: readonly Member[]): RankedList {
  return {
    slots: Int32Array.from(members, ({ slot }) => slot),
    scores: Float64Array.from(members, ({ score }) => score),
    diets: Uint32Array.from(members, ({ diets }) => diets),
    border: Uint8Array.from(members, ({ border }) => (border ? 1 : 0)),
  };
}

const bytesOf = ({ slots }: RankedList): number => LIST_BYTES + slots.length * MEMBER_BYTES;
