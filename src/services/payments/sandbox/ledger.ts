/** The sandbox's ledger on disk: JSON lines, only ever added, each batch synced before anyone hears of it. */
import { readFileSync, truncateSync } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { type Book, createBook, type LedgerEntry } from "./book.js";

export interface Ledger {
  /** Another one after a write has failed: to be asked for each time. */
  readonly book: Book;
  /** Everything there is, in order. */
  readonly entries: readonly LedgerEntry[];
  /** Resolves once the entry is on disk; rejects when it is not and was not done. Entries that arrive together share one sync. */
  append(entry: LedgerEntry): Promise<void>;
  close(): Promise<void>;
}

/** Writes bytes at the end of a file and has them on disk. May fail in the middle. */
export type AppendBytes = (file: FileHandle, text: string) => Promise<void>;

const appendBytes: AppendBytes = async (file, text) => {
  await file.appendFile(text);
  await file.datasync();
};

/**
 * Opens (or makes) the file and replays it. A last line cut off by a crash was never answered: it is cut away. What could
 * not be written, as on a full disk, was not done either: nobody was answered, and the book is made anew of the file, so
 * that whoever asks again has it done, and no line is glued to half of another.
 */
export async function openLedger(path: string, append: AppendBytes = appendBytes): Promise<Ledger> {
  const file = await open(path, "a+");
  const entries: LedgerEntry[] = [];
  let book = createBook();
  let queue: { line: string; done: () => void; failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | null = null;
  replay();

  /** In one piece: nothing is done in between by a book that is not the file's. */
  function replay(): void {
    const { entries: kept, bytes } = parse(readFileSync(path), path);
    truncateSync(path, bytes);
    book = createBook();
    entries.length = 0;
    for (const entry of kept) {
      entries.push(entry);
      book.replay(entry);
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      try {
        await append(file, batch.map(({ line }) => line).join(""));
        for (const { done } of batch) done();
      } catch (error) {
        // What came meanwhile was judged by a book that knew of the batch.
        const lost = [...batch, ...queue];
        queue = [];
        replay();
        for (const { failed } of lost) failed(error);
      }
    }
    writing = null;
  }

  return {
    get book() {
      return book;
    },
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

function parse(content: Buffer, path: string): { entries: readonly LedgerEntry[]; bytes: number } {
  const end = content.lastIndexOf(0x0a) + 1;
  const entries: LedgerEntry[] = [];
  for (const [index, line] of content.subarray(0, end).toString("utf8").split("\n").entries()) {
    if (line === "") continue;
    try {
      entries.push(JSON.parse(line) as LedgerEntry);
    } catch (cause) {
      throw new Error(`Line ${index + 1} of ${path} is no entry of the payment sandbox; mend or remove it`, { cause });
    }
  }
  return { entries, bytes: end };
}

/** Everything the sandbox has done, for checkers. Reads the file; the server may go on writing. */
export async function readSandboxLedger(path: string): Promise<readonly LedgerEntry[]> {
  return parse(await readFile(path), path).entries;
}

/** The state of every authorisation that a ledger leads to, by its key. */
export function authorisationsOf(entries: readonly LedgerEntry[]): ReturnType<Book["authorisations"]> {
  const book = createBook();
  for (const entry of entries) book.replay(entry);
  return book.authorisations();
}
