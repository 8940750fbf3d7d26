/** Unanswered commands on the device, so that an application which is killed loses none. */
import type { JsonObject } from "../src/lib/json.js";
import type { CommandType } from "../src/protocol/mod.js";
import type { StorageLike } from "./ports.js";

export interface StoredCommand {
  readonly key: string;
  readonly type: CommandType;
  readonly body: JsonObject;
  /** Milliseconds since the epoch, by the node's clock. */
  readonly notAfter: number;
  /** It has left this device: without an answer nobody knows what became of it. Older versions did not say. */
  readonly sent?: boolean;
  /** `notAfter` is by the device's clock: no node had told its own yet. */
  readonly byDevice?: boolean;
}

export class CommandStore {
  readonly #storage: StorageLike;
  readonly #key: string;

  constructor(storage: StorageLike, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  /** In the order in which they were given. What is not ours, or damaged, counts as nothing. */
  load(): readonly StoredCommand[] {
    const text = this.#storage.getItem(this.#key);
    if (text === null) return [];
    try {
      const stored: unknown = JSON.parse(text);
      return Array.isArray(stored) ? stored.filter(isStored) : [];
    } catch {
      return [];
    }
  }

  /** Never throws: a device that has no room left keeps nothing over a restart, and still sends what it is given. */
  save(commands: readonly StoredCommand[]): void {
    try {
      if (commands.length === 0) this.#storage.removeItem(this.#key);
      else this.#storage.setItem(this.#key, JSON.stringify(commands));
    } catch {
      // The next change is written whole, with everything that this one held.
    }
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
