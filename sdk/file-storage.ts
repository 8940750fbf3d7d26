/**
 * Unanswered commands in a file, for programs on Node: what IndexedDB is to a browser.
 *
 * Owns: one file of texts by key. Invariants: the file is whole at every moment, the old one or the new one (written
 * beside it, flushed, renamed over it); writes happen in the order in which they were given, several that wait as one; a
 * write that failed is told by `settled` until a later one, which holds everything, succeeds; memory stays right.
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { DurableStorage } from "./indexed-db.js";

/** Reads `path`, which need not exist yet. One program at a time may use it. */
export async function openFileStorage(path: string): Promise<DurableStorage> {
  await mkdir(dirname(path), { recursive: true });
  const texts = new Map(Object.entries(await read(path)));
  let written: Promise<void> = Promise.resolve();
  let waits = false;
  const write = (): void => {
    // One that has not begun yet takes this change with it.
    if (waits) return;
    waits = true;
    written = written
      .catch(() => undefined)
      .then(async () => {
        waits = false;
        await replace(path, JSON.stringify(Object.fromEntries(texts)));
      });
    written.catch(() => undefined);
  };
  return {
    get length() {
      return texts.size;
    },
    key: (index) => [...texts.keys()][index] ?? null,
    getItem: (key) => texts.get(key) ?? null,
    setItem(key, value) {
      texts.set(key, value);
      write();
    },
    removeItem(key) {
      if (texts.delete(key)) write();
    },
    settled: () => written,
  };
}

async function read(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  const kept: unknown = JSON.parse(text);
  if (typeof kept !== "object" || kept === null || Array.isArray(kept)) throw new TypeError(`${path} is not ours`);
  return Object.fromEntries(
    Object.entries(kept).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
