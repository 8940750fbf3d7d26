/** Columns of numbers by slot, which grow by doubling. */
type Column = Int32Array | Uint32Array | Uint8Array | Float64Array;

/** The length at which a column has room for a slot. */
export const lengthFor = (slot: number): number => 2 ** Math.ceil(Math.log2(slot + 1));

/** `longer`, with what stands in `from` at its beginning. */
export function widened<C extends Column>(from: C, longer: C): C {
  longer.set(from);
  return longer;
}
