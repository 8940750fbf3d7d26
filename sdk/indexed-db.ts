/**
 * Unanswered commands in a browser's IndexedDB, which outlives `localStorage` where a device runs short of room and does
 * not block the page.
 *
 * Owns: one object store of texts by key. The client reads at once, so everything is read when the store is opened, and
 * written behind. Invariants: writes happen in the order in which they were given; a write counts once its transaction is
 * complete; one that failed is told by `settled` until a later one of the same text succeeds; memory stays right.
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
  const opening = factory.open(options.name ?? "swift-eats", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await answer(opening);
  const reading = database.transaction(STORE, "readonly").objectStore(STORE);
  const [keys, values] = await Promise.all([answer(reading.getAllKeys()), answer(reading.getAll())]);
  const texts = new Map(keys.map((key, index) => [String(key), String(values[index])]));

  let written: Promise<void> = Promise.resolve();
  /** Why the newest write of a text failed. */
  const failed = new Map<string, unknown>();
  const write = (key: string, change: (store: Store) => void): void => {
    // Begun at once, so that a page which is closed in this moment has asked for it; the browser keeps their order.
    const ended = committed(database, change).then(
      () => void failed.delete(key),
      (error: unknown) => void failed.set(key, error),
    );
    written = written.then(() => ended);
  };
  return {
    get length() {
      return texts.size;
    },
    key: (index) => [...texts.keys()][index] ?? null,
    getItem: (key) => texts.get(key) ?? null,
    setItem(key, value) {
      texts.set(key, value);
      write(key, (store) => store.put(value, key));
    },
    removeItem(key) {
      if (!texts.delete(key)) return;
      write(key, (store) => store.delete(key));
    },
    async settled() {
      await written;
      for (const error of failed.values()) throw error;
    },
  };
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
