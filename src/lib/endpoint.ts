/**
 * An address of somebody else's server as a person configures it. Owns taking user and password out of it: clients either
 * refuse an address with them, in messages that show both, or leave them out without a word.
 */
export interface Endpoint {
  /** As it was given, without user and password. May be shown. */
  readonly url: string;
  /** The same without the slashes at its end: what paths are written behind. */
  readonly base: string;
  /** For every request; empty when the address names nobody. */
  readonly headers: { readonly authorization?: string };
}

export function endpointOf(address: string): Endpoint {
  const url = new URL(address);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const base = url.href.replace(/\/+$/, "");
  if (username === "" && password === "") return { url: url.href, base, headers: {} };
  const pair = Buffer.from(`${plain(username)}:${plain(password)}`).toString("base64");
  return { url: url.href, base, headers: { authorization: `Basic ${pair}` } };
}

/** What stands in an address with percent signs; one that is written wrongly stays as it is. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
