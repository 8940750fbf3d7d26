/** The sandbox's ledger on disk: JSON lines, only ever added, each batch synced before anyone hears of it. */
import { open, readFile } from "node:fs/promises";
import { type Book, createBook, type LedgerEntry } from "./book.js";

export interface Ledger {
  readonly book: Book;
  /** Everything there is, in order. */
  readonly entries: readonly LedgerEntry[];
  /** Resolves once the entry is on disk. Entries that arrive together share one sync. */
  append(entry: LedgerEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens (or makes) the file and replays it. A last line cut off by a crash was never answered: it is cut away. */
export async function openLedger(path: string): Promise<Ledger> {
  const file = await open(path, "a+");
  const { entries: before, bytes } = parse(await readFile(path));
  const entries = [...before];
  await file.truncate(bytes);
  const book = createBook();
  for (const entry of entries) book.replay(entry);
  let queue: { line: string; done: () => void; failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await file.appendFile(batch.map(({ line }) => line).join(""));
        await file.datasync();
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = null;
  }

  return {
    book,
    entries,
    append: (entry) =>
      new Promise((done, failed) => {
        entries.push(entry);
        queue.push({ line: `${JSON.stringify(entry)}\n`, done, failed });
        writing ??= drain();
      }),
    async close() {
      await writing;
      await file.close();
    },
  };
}

function parse(content: Buffer): { entries: readonly LedgerEntry[]; bytes: number } {
  const end = content.lastIndexOf(0x0a) + 1;
  const entries = content
    .subarray(0, end)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LedgerEntry);
  return { entries, bytes: end };
}

/** Everything the sandbox has done, for checkers. Reads the file; the server may go on writing. */
export async function readSandboxLedger(path: string): Promise<readonly LedgerEntry[]> {
  return parse(await readFile(path)).entries;
}

/** The state of every authorisation that a ledger leads to, by its key. */
export function authorisationsOf(entries: readonly LedgerEntry[]): ReturnType<Book["authorisations"]> {
  const book = createBook();
  for (const entry of entries) book.replay(entry);
  return book.authorisations();
}
