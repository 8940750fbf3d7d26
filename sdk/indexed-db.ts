/**
 * Unanswered commands in a browser's IndexedDB, which outlives `localStorage` where a device runs short of room and does
 * not block the page.
 *
 * Owns: one object store of texts by key. The client reads at once, so everything is read when the store is opened, and
 * written behind. Invariants: writes happen in the order in which they were given; a write counts once its transaction is
 * complete; one that failed is told by `settled` until a later one of the same text succeeds; memory stays right. A browser
 * may take the database away from a page that lives on, after a long sleep or to clean up: it is opened anew, once for each
 * write that finds it gone, and what is not on the disk is written from memory.
 */
import type { StorageLike } from "./ports.js";

/** The part of the browser's `IDBFactory` that is used; Node has none. */
export interface IndexedDbLike {
  open(name: string, version: number): OpenRequest;
}

interface Request<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
interface OpenRequest extends Request<Database> {
  onupgradeneeded: ((event: never) => void) | null;
}
interface Database {
  createObjectStore(name: string): unknown;
  close?(): void;
  transaction(store: string, mode: "readonly" | "readwrite", options?: { readonly durability: "strict" }): Transaction;
}
interface Transaction {
  readonly error: unknown;
  oncomplete: ((event: never) => void) | null;
  onabort: ((event: never) => void) | null;
  objectStore(name: string): Store;
}
interface Store {
  getAll(): Request<unknown[]>;
  getAllKeys(): Request<unknown[]>;
  put(value: string, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
}

export interface DurableStorage extends StorageLike {
  /** Resolves when everything given so far is on the disk; rejects while a text is not there as it was given last. */
  settled(): Promise<void>;
}

const STORE = "texts";

/** Rejects where the browser forbids storage; then give the client `localStorage`, or nothing. */
export async function openIndexedDbStorage(
  options: { readonly name?: string; readonly indexedDB?: IndexedDbLike } = {},
): Promise<DurableStorage> {
  const factory = options.indexedDB ?? (globalThis as { indexedDB?: IndexedDbLike }).indexedDB;
  if (factory === undefined) throw new TypeError("openIndexedDbStorage: there is no IndexedDB here");
  let database = await connect(factory, options.name ?? "swift-eats");
  const reading = database.transaction(STORE, "readonly").objectStore(STORE);
  const [keys, values] = await Promise.all([answer(reading.getAllKeys()), answer(reading.getAll())]);
  const texts = new Map(keys.map((key, index) => [String(key), String(values[index])]));

  let written: Promise<void> = Promise.resolve();
  /** Why the newest write of a text failed. */
  const failed = new Map<string, unknown>();
  let reopening: Promise<void> | null = null;
  /** Whoever meets the same lost connection waits for the same new one. */
  const reopen = (lost: Database): Promise<void> => {
    if (database !== lost) return Promise.resolve();
    reopening ??= connect(factory, options.name ?? "swift-eats")
      .then((opened) => {
        database = opened;
        lost.close?.();
      })
      .finally(() => {
        reopening = null;
      });
    return reopening;
  };
  /** What memory holds of a text, which is the newest of it, also when it is written late. */
  const commit = (key: string): Promise<void> => {
    const text = texts.get(key);
    return committed(database, (store) => (text === undefined ? store.delete(key) : store.put(text, key)));
  };
  const told = (key: string, ended: Promise<void>): Promise<void> =>
    ended.then(
      () => void failed.delete(key),
      (error: unknown) => void failed.set(key, error),
    );
  const write = (key: string): void => {
    const used = database;
    // Begun at once, so that a page which is closed in this moment has asked for it; the browser keeps their order.
    const ended = commit(key).catch(async (error: unknown) => {
      if (isFull(error)) throw error;
      await reopen(used);
      await Promise.all([...failed.keys()].filter((other) => other !== key).map((other) => told(other, commit(other))));
      await commit(key);
    });
    const settled = told(key, ended);
    written = written.then(() => settled);
  };
  return {
    get length() {
      return texts.size;
    },
    key: (index) => [...texts.keys()][index] ?? null,
    getItem: (key) => texts.get(key) ?? null,
    setItem(key, value) {
      texts.set(key, value);
      write(key);
    },
    removeItem(key) {
      if (texts.delete(key)) write(key);
    },
    async settled() {
      await written;
      for (const error of failed.values()) throw error;
    },
  };
}

async function connect(factory: IndexedDbLike, name: string): Promise<Database> {
  const opening = factory.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return answer(opening);
}

/** A disk without room stays full for a connection of any age. */
function isFull(error: unknown): boolean {
  return (error as Partial<Error> | null)?.name === "QuotaExceededError";
}

function answer<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB refused"));
  });
}

/** Rejects when the browser takes it back, whether at the change or at the end: a disk may turn out to be full only then. */
function committed(database: Database, change: (store: Store) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB refused"));
    change(transaction.objectStore(STORE));
  });
}
