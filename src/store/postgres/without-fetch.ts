/**
 * `pg` asks once, when it is read, whether it runs in Cloudflare: of `navigator`, and where there is none (Node 20) by
 * making a `Response`, for which Node reads its HTTP client: 43 ms and 12 MB in every thread that has a database. So there
 * is a `navigator` for as long as it is read, with what Node 21 and later have there.
 */
const missing = !("navigator" in globalThis);
if (missing) {
  const userAgent = `Node.js/${process.versions.node.split(".")[0]}`;
  Object.defineProperty(globalThis, "navigator", { value: { userAgent }, configurable: true });
}

/** To be called when `pg` has been read. */
export function forgetNavigator(): void {
  if (missing) Reflect.deleteProperty(globalThis, "navigator");
}
