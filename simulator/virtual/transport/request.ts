/** What a client asks by HTTP, an upgrade included, and its reading by a native handler. */
import type { NativeRequest } from "../../../src/gateway/mod.js";

export interface RequestHead {
  /** In upper case. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Splits `http://host:port/path?query`. */
export function partsOf(url: string): { readonly origin: string; readonly path: string; readonly query: string } {
  const slash = url.indexOf("/", url.indexOf("://") + 3);
  const origin = slash < 0 ? url : url.slice(0, slash);
  const rest = slash < 0 ? "/" : url.slice(slash);
  const mark = rest.indexOf("?");
  return mark < 0
    ? { origin, path: rest, query: "" }
    : { origin, path: rest.slice(0, mark), query: rest.slice(mark + 1) };
}

/** About as many bytes as it has on the wire. */
export function sizeOf(head: RequestHead): number {
  let bytes = head.method.length + head.path.length + head.query.length + 14;
  for (const [name, value] of head.headers) bytes += name.length + value.length + 4;
  return bytes;
}

/** Readable until the native callback has returned, as the native one is. */
export class VirtualRequest implements NativeRequest {
  readonly #head: RequestHead;
  readonly #parameters: readonly string[];
  #readable = true;

  constructor(head: RequestHead, parameters: readonly string[]) {
    this.#head = head;
    this.#parameters = parameters;
  }

  /** The native callback has returned. */
  end(): void {
    this.#readable = false;
  }

  getHeader(lowerCaseName: string): string {
    this.#check();
    return this.#head.headers.get(lowerCaseName) ?? "";
  }

  forEach(hear: (lowerCaseName: string, value: string) => void): void {
    this.#check();
    for (const [name, value] of this.#head.headers) hear(name, value);
  }

  getParameter(index: number): string | undefined {
    this.#check();
    return this.#parameters[index];
  }

  getUrl(): string {
    this.#check();
    return this.#head.path;
  }

  getMethod(): string {
    this.#check();
    return this.#head.method.toLowerCase();
  }

  getQuery(): string {
    this.#check();
    return this.#head.query;
  }

  #check(): void {
    if (!this.#readable) throw new Error("a request must not be read after its handler has returned");
  }
}
