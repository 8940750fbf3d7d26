/**
 * Unanswered commands on the device, so that an application which is killed loses none.
 *
 * Each is a text of its own, where the storage can list what it holds: windows that share one, each knowing what lay there
 * when it was opened, change only what is theirs. Elsewhere one text holds them all, and is read again before each change.
 */
import type { JsonObject } from "../src/lib/json.js";
import type { CommandType } from "../src/protocol/mod.js";
import type { StorageLike } from "./ports.js";

export interface StoredCommand {
  readonly key: string;
  readonly type: CommandType;
  readonly body: JsonObject;
  /** Milliseconds since the epoch, by the node's clock. */
  readonly notAfter: number;
  /** Rises in the order in which they were given. Older versions had none: theirs came before. */
  readonly at?: number;
  /** It has left this device: without an answer nobody knows what became of it. Older versions did not say. */
  readonly sent?: boolean;
  /** `notAfter` is by the device's clock: no node had told its own yet. */
  readonly byDevice?: boolean;
}

export class CommandStore {
  readonly #storage: StorageLike;
  readonly #key: string;
  /** What the device had no room for: null is to be removed. Tried again with the next change. */
  readonly #unwritten = new Map<string, string | null>();

  constructor(storage: StorageLike, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  /** In the order in which they were given. What is not ours, or damaged, counts as nothing. */
  load(): readonly StoredCommand[] {
    const names = this.#names();
    const list = this.#list();
    if (names === null) return list;
    const kept = new Map<string, StoredCommand>();
    for (const name of names) {
      const command = parsed(this.#storage.getItem(name));
      if (isStored(command) && this.#nameOf(command.key) === name) kept.set(command.key, command);
    }
    if (list.length > 0) {
      // An older version kept them in one text.
      list.forEach((command, at) => {
        if (kept.has(command.key)) return;
        kept.set(command.key, { at, ...command });
        this.put({ at, ...command });
      });
      if (this.#unwritten.size === 0) this.#write(this.#key, null);
    }
    return [...kept.values()].sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
  }

  put(command: StoredCommand): void {
    if (this.#isListed) this.#write(this.#nameOf(command.key), JSON.stringify(command));
    else this.#change(command.key, [command]);
  }

  remove(key: string): void {
    if (this.#isListed) this.#write(this.#nameOf(key), null);
    else this.#change(key, []);
  }

  get #isListed(): boolean {
    return this.#storage.length !== undefined && this.#storage.key !== undefined;
  }

  #nameOf(key: string): string {
    return `${this.#key}/${key}`;
  }

  /** Null: the storage does not tell. */
  #names(): readonly string[] | null {
    if (!this.#isListed) return null;
    const names = Array.from({ length: this.#storage.length! }, (_, index) => this.#storage.key!(index));
    return names.filter((name): name is string => name?.startsWith(this.#nameOf("")) === true);
  }

  #list(): readonly StoredCommand[] {
    const unwritten = this.#unwritten.get(this.#key);
    const list = parsed(unwritten === undefined ? this.#storage.getItem(this.#key) : unwritten);
    return Array.isArray(list) ? list.filter(isStored) : [];
  }

  #change(key: string, by: readonly StoredCommand[]): void {
    const list = [...this.#list()];
    const index = list.findIndex((command) => command.key === key);
    if (index < 0 && by.length === 0) return;
    list.splice(index < 0 ? list.length : index, 1, ...by);
    this.#write(this.#key, list.length === 0 ? null : JSON.stringify(list));
  }

  /** Never throws: a device that has no room left keeps nothing over a restart, and still sends what it is given. */
  #write(name: string, text: string | null): void {
    this.#unwritten.set(name, text);
    for (const [name, text] of this.#unwritten) {
      try {
        if (text === null) this.#storage.removeItem(name);
        else this.#storage.setItem(name, text);
        this.#unwritten.delete(name);
      } catch {
        // It goes with the next change.
      }
    }
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function isStored(value: unknown): value is StoredCommand {
  const command = value as Partial<StoredCommand> | null;
  return (
    typeof command?.key === "string" &&
    typeof command.type === "string" &&
    typeof command.body === "object" &&
    command.body !== null &&
    typeof command.notAfter === "number"
  );
}
