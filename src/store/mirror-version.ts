/** Versions of mirrored values compare by epoch, then by counter. */
export function isNewer(version: readonly [number, number], than: readonly [number, number]): boolean {
  return version[0] > than[0] || (version[0] === than[0] && version[1] > than[1]);
}
