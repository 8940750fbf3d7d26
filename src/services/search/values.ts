/**
 * Values of a facet by number; names that differ in case or accents only are one, called as whoever had it first says.
 * Invariant: a number means one name for as long as anybody has it; then it is another's.
 */
import { plainText } from "./words.js";

export class Values {
  readonly names: string[] = [];
  readonly #plain: string[] = [];
  readonly #users: number[] = [];
  readonly #free: number[] = [];
  readonly #ids = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  find(name: string): number | undefined {
    return this.#ids.get(plainText(name));
  }

  /** One more has it, until that is released. Undefined when there are too many already. */
  take(name: string): number | undefined {
    const plain = plainText(name);
    if (plain === "") return undefined;
    const id = this.#ids.get(plain) ?? this.#add(name, plain);
    if (id !== undefined) this.#users[id]!++;
    return id;
  }

  release(id: number): void {
    this.#users[id]!--;
    if (this.#users[id]! > 0) return;
    this.#ids.delete(this.#plain[id]!);
    this.#free.push(id);
  }

  #add(name: string, plain: string): number | undefined {
    const id = this.#free.pop() ?? this.names.length;
    if (id >= this.#most) return undefined;
    this.names[id] = name;
    this.#plain[id] = plain;
    this.#users[id] = 0;
    this.#ids.set(plain, id);
    return id;
  }
}
