/**
 * Files of the live map and other pages, read once when the door is opened. A request can only name what is in the
 * table, so no path can lead out of the directory. `file.br` and `file.gz` beside a file are its compressed forms.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, posix, relative, sep } from "node:path";

export interface StaticFile {
  readonly bytes: Uint8Array;
  readonly gzip: Uint8Array | null;
  readonly brotli: Uint8Array | null;
  readonly contentType: string;
  readonly etag: string;
  /** Its name holds a hash of its content: it never changes. */
  readonly immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".geojson": "application/geo+json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};
const COMPRESSED: ReadonlySet<string> = new Set([".br", ".gz"]);

/** Every file below `directory` by its URL path under `urlPrefix`; a directory's `index.html` also by the directory, with or without its last slash. */
export function readStaticFiles(urlPrefix: string, directory: string): ReadonlyMap<string, StaticFile> {
  const prefix = urlPrefix.endsWith("/") ? urlPrefix : `${urlPrefix}/`;
  const files = new Map<string, StaticFile>();
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const present = new Set(names);
  for (const name of names) {
    const extension = extname(name);
    if (COMPRESSED.has(extension) && present.has(name.slice(0, -extension.length))) continue;
    const bytes = readFileSync(join(directory, name));
    const beside = (suffix: string): Uint8Array | null =>
      present.has(name + suffix) ? readFileSync(join(directory, name + suffix)) : null;
    const file: StaticFile = {
      bytes,
      gzip: beside(".gz"),
      brotli: beside(".br"),
      contentType: TYPES[extension] ?? "application/octet-stream",
      etag: etagOf(bytes),
      immutable: /[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(name) && name.includes("assets/"),
    };
    files.set(prefix + name, file);
    if (posix.basename(name) === "index.html") {
      const folder = prefix + name.slice(0, -"index.html".length);
      files.set(folder, file);
      // People type it without the slash; pages name what they need by full paths, so both are the same page.
      if (folder !== prefix) files.set(folder.slice(0, -1), file);
    }
  }
  return files;
}

/** A document that the node makes itself. `zip`: its compressed form, where it is worth one. */
export function fileOf(text: string, extension: string, zip?: (bytes: Uint8Array) => Uint8Array): StaticFile {
  const bytes = new TextEncoder().encode(text);
  return {
    bytes,
    gzip: zip?.(bytes) ?? null,
    brotli: null,
    contentType: TYPES[extension] ?? "application/octet-stream",
    etag: etagOf(bytes),
    immutable: false,
  };
}

export function jsonFile(value: unknown): StaticFile {
  return fileOf(JSON.stringify(value), ".json");
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 20)}"`;
}
