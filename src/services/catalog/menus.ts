/**
 * Menus kept ready as bytes. Owns how old a menu may be and how many are kept. Restaurants that change in this process's
 * sight show at once, through the mirror's `menu:<id>`, which tells of them; all others by the feed, which is read when menus are asked for.
 *
 * Invariants: a menu never goes back to an older `menuVersion` in this process; a menu is read once at a time; when the
 * index does not answer, the last known menu is used for up to `staleMs`; what was told to have changed is read after it was
 * told, however long that takes and however often it fails; menus and bytes kept are bounded, and what has
 * not been asked for since the hand came by last goes first.
 */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Clock } from "../../lib/clock.js";
import { isListed, type MenuView } from "../../protocol/mod.js";
import type { MenuFeed } from "./feed.js";
import type { IndexReader, MirrorCopy } from "./ports.js";

const KEY_PREFIX = "menu:";
export const menuKey = (restaurantId: string): string => KEY_PREFIX + restaurantId;

export interface MenuSettings {
  readonly maxMenus: number;
  /** Of all menus kept, compressed copies included. */
  readonly maxBytes: number;
  /** How long nothing is asked about a menu's being current. */
  readonly menuMs: number;
  /** How long the last known menu answers while the index is away. */
  readonly staleMs: number;
}

export type Coding = "identity" | "gzip" | "br";

/** Smaller ones are sent as they are. */
const COMPRESS_FROM_BYTES = 1024;
/** Brotli's default level takes a hundred times as long for a tenth less. */
const BROTLI_LEVEL = 5;
const MENUS_A_QUERY = 100;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A menu with its text, ready to be sent. The object is the same for as long as the menu is. */
export class ReadyMenu {
  readonly json: Uint8Array;
  /** What is said before the bytes in each coding: whoever sends them makes it once, and keeps it here. */
  readonly heads: Partial<Record<Coding, Uint8Array>> = {};
  /** Of its text as it is; other codings have tags of their own. */
  readonly etag: string;
  readonly menuVersion: number;
  /** Anyone may read it. */
  readonly listed: boolean;
  #gzip: Uint8Array | null = null;
  #brotli: Uint8Array | null = null;
  /** Of those who place orders; the bytes are kept for all others. */
  #menu: WeakRef<MenuView>;
  readonly #grew: (bytes: number) => void;

  constructor(menu: MenuView, grew: (bytes: number) => void) {
    this.json = utf8.encode(JSON.stringify(menu));
    this.etag = `"m${menu.menuVersion}"`;
    this.menuVersion = menu.menuVersion;
    this.listed = isListed(menu);
    this.#menu = new WeakRef(menu);
    this.#grew = grew;
    grew(this.json.length);
  }

  menu(): MenuView {
    let menu = this.#menu.deref();
    if (menu === undefined) {
      menu = JSON.parse(text.decode(this.json)) as MenuView;
      this.#menu = new WeakRef(menu);
    }
    return menu;
  }

  /** How it is sent to someone who takes these codings. */
  coding(brotli: boolean, gzip: boolean): Coding {
    if (this.json.length < COMPRESS_FROM_BYTES) return "identity";
    return brotli ? "br" : gzip ? "gzip" : "identity";
  }

  /** Compressed once, by the first who asks. */
  bytes(coding: Coding): Uint8Array {
    switch (coding) {
      case "identity":
        return this.json;
      case "gzip":
        this.#gzip ??= this.#kept(gzipSync(this.json));
        return this.#gzip;
      case "br":
        this.#brotli ??= this.#kept(
          brotliCompressSync(this.json, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_LEVEL } }),
        );
        return this.#brotli;
    }
  }

  get size(): number {
    return this.json.length + (this.#gzip?.length ?? 0) + (this.#brotli?.length ?? 0);
  }

  #kept(compressed: Uint8Array): Uint8Array {
    this.#grew(compressed.length);
    // Small buffers of Node share a large one, which would be kept whole.
    return compressed.byteLength === compressed.buffer.byteLength ? compressed : Uint8Array.from(compressed);
  }
}

interface Kept {
  ready: ReadyMenu | null;
  /** Came in by the mirror, and has not been looked at: made ready for whoever asks first. */
  mirrored: MenuView | null;
  /** The restaurant's time of what was read last; −1 before. */
  at: number;
  /** Monotonic; −∞ while nothing has been read. */
  readAt: number;
  loading: Promise<ReadyMenu | null> | null;
  /** Told to have changed, and not read since. */
  changed: boolean;
  /** When it was last tried to read it, monotonic. */
  triedAt: number;
  /** Asked for since the hand came by. */
  used: boolean;
}

export interface Menus {
  /** A menu that is at hand and current, or null. */
  current(restaurantId: string, now?: number): ReadyMenu | null;
  ready(restaurantId: string): ReadyMenu | null | Promise<ReadyMenu | null>;
}

export function createMenus(deps: {
  readonly clock: Clock;
  readonly index: IndexReader;
  readonly copy: MirrorCopy | null;
  readonly feed: MenuFeed;
  readonly settings: MenuSettings;
}): Menus {
  const { clock, index, copy, feed, settings } = deps;
  const menus = new Map<string, Kept>();
  let bytes = 0;
  const grew = (by: number): void => {
    bytes += by;
  };

  feed.listen((changes) => {
    for (const { restaurantId, at } of changes) {
      const kept = menus.get(restaurantId);
      if (kept === undefined || kept.at === at) continue;
      // One that is being read may be read as it was before.
      kept.changed = true;
      load(restaurantId, kept).catch(() => {});
    }
  });

  copy?.listen(KEY_PREFIX, ({ key, value }) => {
    const kept = menus.get(key.slice(KEY_PREFIX.length));
    if (kept !== undefined) kept.mirrored = value as unknown as MenuView;
  });

  function takeMirrored(kept: Kept): void {
    if (kept.mirrored === null) return;
    take(kept, kept.mirrored);
    kept.mirrored = null;
  }

  function take(kept: Kept, menu: MenuView): void {
    if (kept.ready !== null && menu.menuVersion <= kept.ready.menuVersion) return;
    if (kept.ready !== null) bytes -= kept.ready.size;
    kept.ready = new ReadyMenu(menu, grew);
  }

  /** Keys that wait for the next query, with those who wait for them. */
  let wanted = new Map<string, { readonly done: () => void; readonly failed: (error: unknown) => void }>();
  let asking = false;

  async function askForWanted(): Promise<void> {
    if (asking) return;
    asking = true;
    while (wanted.size > 0) {
      const batch = [...wanted].slice(0, MENUS_A_QUERY);
      if (batch.length === wanted.size) wanted = new Map();
      else for (const [key] of batch) wanted.delete(key);
      const told = batch.flatMap(([key]) => menus.get(key) ?? []).filter(({ changed }) => changed);
      for (const kept of told) kept.changed = false;
      try {
        const keys = batch.map(([key]) => key);
        const rows = await index.queryIndex({ kind: "restaurant", keys, limit: keys.length });
        for (const { key, at, view } of rows) {
          const kept = menus.get(key);
          if (kept === undefined) continue;
          kept.at = at;
          take(kept, view as unknown as MenuView);
        }
        for (const [, { done }] of batch) done();
      } catch (error) {
        for (const kept of told) kept.changed = true;
        for (const [, { failed }] of batch) failed(error);
      }
    }
    asking = false;
  }

  function load(restaurantId: string, kept: Kept): Promise<ReadyMenu | null> {
    if (kept.loading !== null) return kept.loading;
    kept.triedAt = clock.monotonic();
    kept.loading = new Promise<void>((done, failed) => {
      wanted.set(restaurantId, { done, failed });
    }).then(
      () => {
        kept.loading = null;
        kept.readAt = clock.monotonic();
        if (kept.changed) return load(restaurantId, kept);
        shrink();
        return kept.ready;
      },
      (error: unknown) => {
        kept.loading = null;
        return lastKnown(kept, error);
      },
    );
    void askForWanted();
    return kept.loading;
  }

  function lastKnown(kept: Kept, error: unknown): ReadyMenu | null {
    if (kept.ready !== null && clock.monotonic() - Math.max(kept.readAt, feed.readAt) < settings.staleMs) {
      return kept.ready;
    }
    throw error;
  }

  /** The hand goes round until there is room again: what was used since it came by last has another round. */
  function shrink(): void {
    // Twice round at most: what is being read stays.
    let steps = 2 * menus.size;
    for (const [restaurantId, kept] of menus) {
      if ((menus.size <= settings.maxMenus && bytes <= settings.maxBytes) || steps-- <= 0) return;
      menus.delete(restaurantId);
      if (kept.used || kept.loading !== null) {
        kept.used = false;
        menus.set(restaurantId, kept);
        continue;
      }
      if (kept.ready !== null) bytes -= kept.ready.size;
    }
  }

  function ready(restaurantId: string): ReadyMenu | null | Promise<ReadyMenu | null> {
    let kept = menus.get(restaurantId);
    if (kept === undefined) {
      kept = {
        ready: null,
        mirrored: null,
        at: -1,
        readAt: Number.NEGATIVE_INFINITY,
        loading: null,
        changed: false,
        triedAt: Number.NEGATIVE_INFINITY,
        used: true,
      };
      menus.set(restaurantId, kept);
    }
    kept.used = true;
    takeMirrored(kept);
    // Never read: what the mirror has may be older than what was written elsewhere since.
    if (kept.readAt === Number.NEGATIVE_INFINITY) return load(restaurantId, kept);
    const now = clock.monotonic();
    if (kept.changed && now - kept.triedAt >= settings.menuMs) load(restaurantId, kept).catch(() => {});
    const ageMs = now - feed.readAt;
    if (ageMs < settings.menuMs) return kept.ready;
    const reading = feed.read();
    if (ageMs < 2 * settings.menuMs) {
      // Just over its time: this caller does not wait, the next one knows.
      reading.catch(() => {});
      return kept.ready;
    }
    const asked = kept;
    return reading.then(
      () => asked.loading ?? asked.ready,
      (error: unknown) => lastKnown(asked, error),
    );
  }

  function current(restaurantId: string, now: number = clock.monotonic()): ReadyMenu | null {
    const kept = menus.get(restaurantId);
    if (kept === undefined || kept.readAt === Number.NEGATIVE_INFINITY) return null;
    if (now - feed.readAt >= settings.menuMs || (kept.changed && kept.loading === null)) return null;
    kept.used = true;
    takeMirrored(kept);
    return kept.ready;
  }

  return { ready, current };
}
