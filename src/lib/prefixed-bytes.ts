/**
 * Bytes that are sent often and differ in their end alone: what they begin with is turned into UTF-8 once. Making the
 * whole of it as text each time costs several times as much: it is put together, flattened, measured and converted.
 */
export class PrefixedBytes {
  #bytes: Buffer;
  readonly #prefixBytes: number;
  #whole: Uint8Array;

  /** `room`: bytes that an end usually takes. */
  constructor(prefix: string, room: number) {
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#bytes = Buffer.allocUnsafe(this.#prefixBytes + room);
    this.#bytes.write(prefix, "utf8");
    this.#whole = this.#bytes.subarray(0, this.#prefixBytes);
  }

  /** With this end, of ASCII only. In memory that the next call writes again. */
  with(end: string): Uint8Array {
    const length = this.#prefixBytes + end.length;
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.write(end, this.#prefixBytes, "latin1");
    if (this.#whole.length !== length) this.#whole = this.#bytes.subarray(0, length);
    return this.#whole;
  }

  #grow(length: number): void {
    const bytes = Buffer.allocUnsafe(length);
    this.#bytes.copy(bytes, 0, 0, this.#prefixBytes);
    this.#bytes = bytes;
    this.#whole = bytes;
  }
}
