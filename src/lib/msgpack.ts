import { Packr } from "msgpackr";

/**
 * MessagePack for bytes that we wrote ourselves (snapshots, tells, events). Bytes from strangers go through
 * `protocol/codec.ts`, which scans their structure first. Maps decode as plain objects; records and shared structures
 * are off, so that every value stands alone and any MessagePack reader can read it.
 */
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number", encodeUndefinedAsNil: true });

/** A copy that shares its memory with nothing. */
export function encode(value: unknown): Uint8Array {
  const bytes = packr.pack(value);
  return new Uint8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/**
 * For bytes that are soon gone: they share their memory with those of calls before and after, and holding a few of them
 * may hold many more. They are not written again.
 */
export const encodePassing = (value: unknown): Uint8Array => packr.pack(value);

export function decode<T = unknown>(bytes: Uint8Array): T {
  return packr.unpack(bytes) as T;
}
