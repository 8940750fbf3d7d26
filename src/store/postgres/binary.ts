/**
 * Arrays in the binary format of PostgreSQL (`array_recv`), written straight from rows. A parameter that is a Buffer
 * goes over the wire as it is; arrays as text would turn every byte string into hexadecimal and back
 * (docs/decisions/flush-in-one-call.md has the figures).
 */

import type { ArrayType } from "./flush-parameters.js";
import type pg from "./pg.js";

const ELEMENT_OID: Record<ArrayType, number> = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, float8: 701 };

export type ArrayElement = string | number | boolean | Uint8Array | null;

/** Writes many arrays into one growing buffer; `take` hands them out as views of it. */
export class ArrayWriter {
  #buffer: Buffer;
  #used = 0;
  readonly #ends: number[] = [];

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(1024, expectedBytes));
  }

  /** Appends one array. `null` is SQL's NULL. */
  array(type: ArrayType, elements: readonly ArrayElement[]): void {
    this.#int32(elements.length === 0 ? 0 : 1);
    this.#int32(1);
    this.#int32(ELEMENT_OID[type]);
    if (elements.length > 0) {
      this.#int32(elements.length);
      this.#int32(1);
      // By number: lists of several kinds come by here, and an iterator of them makes an object for each element.
      for (let i = 0; i < elements.length; i++) this.#element(type, elements[i]!);
    }
    this.#ends.push(this.#used);
  }

  /** The arrays, in the order in which they were appended. */
  take(): Buffer[] {
    let start = 0;
    return this.#ends.map((end) => {
      const view = this.#buffer.subarray(start, end);
      start = end;
      return view;
    });
  }

  #element(type: ArrayType, element: ArrayElement): void {
    if (element === null) {
      this.#int32(-1);
      return;
    }
    switch (type) {
      case "text": {
        const text = element as string;
        this.#reserve(4 + text.length * 3);
        const bytes = this.#buffer.write(text, this.#used + 4);
        this.#buffer.writeInt32BE(bytes, this.#used);
        this.#used += 4 + bytes;
        return;
      }
      case "bytea": {
        const bytes = element as Uint8Array;
        this.#int32(bytes.byteLength);
        this.#reserve(bytes.byteLength);
        this.#buffer.set(bytes, this.#used);
        this.#used += bytes.byteLength;
        return;
      }
      case "int4":
        this.#int32(4);
        this.#int32(element as number);
        return;
      case "int8": {
        const value = element as number;
        this.#int32(8);
        this.#reserve(8);
        this.#buffer.writeInt32BE(Math.floor(value / 2 ** 32), this.#used);
        this.#buffer.writeUInt32BE(value >>> 0, this.#used + 4);
        this.#used += 8;
        return;
      }
      case "float8":
        this.#int32(8);
        this.#reserve(8);
        this.#used = this.#buffer.writeDoubleBE(element as number, this.#used);
        return;
      case "bool":
        this.#int32(1);
        this.#reserve(1);
        this.#used = this.#buffer.writeUInt8(element ? 1 : 0, this.#used);
        return;
    }
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#used = this.#buffer.writeInt32BE(value, this.#used);
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#used + bytes));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }
}

/** One array parameter by itself, for reads. */
export function arrayParameter(type: ArrayType, elements: readonly ArrayElement[]): Buffer {
  const writer = new ArrayWriter(64 + elements.length * 48);
  writer.array(type, elements);
  return writer.take()[0]!;
}

type Parser = (text: string) => unknown;

/** How results become values: byte strings as bytes, numbers as numbers. `pg` reads results as text only. */
const PARSERS: Readonly<Record<number, Parser>> = {
  16: (text) => text === "t",
  17: (text) => {
    const bytes = Buffer.from(text.slice(2), "hex");
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  },
  20: Number,
  23: Number,
  25: (text) => text,
  114: (text) => JSON.parse(text),
  701: Number,
};

/** For `types` of a query. A column of another type is a mistake of ours, so it throws. */
export const RESULT_TYPES: pg.CustomTypesConfig = {
  getTypeParser(oid: number) {
    const parser = PARSERS[oid];
    if (parser === undefined) throw new TypeError(`No parser for results of type ${oid}.`);
    return parser;
  },
};
