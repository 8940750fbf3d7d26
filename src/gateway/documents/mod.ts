/**
 * What a gateway says of itself: `/openapi.json`, `/asyncapi.json`, and `/docs` for people. Made when first asked for,
 * once per gateway thread.
 */
import { gzipSync } from "node:zlib";
import type { Route } from "../http/routes.js";
import { fileOf, type StaticFile } from "../http/static-files.js";
import type { GatewaySettings } from "../settings.js";
import { asyncApiDocument } from "./asyncapi.js";
import { errorCatalogue, openApiDocument } from "./openapi.js";
import { documentsPage } from "./page.js";
import { PAGE_SCRIPT } from "./page-assets.js";

export { asyncApiDocument } from "./asyncapi.js";
export { openApiDocument } from "./openapi.js";

export const DOCUMENT_PATHS = ["/openapi.json", "/asyncapi.json", "/docs", "/docs/", "/docs/page.js"] as const;
export type DocumentPath = (typeof DOCUMENT_PATHS)[number];

export function isDocumentPath(path: string): path is DocumentPath {
  return (DOCUMENT_PATHS as readonly string[]).includes(path);
}

export function createDocuments(
  settings: GatewaySettings,
  routes: readonly Route[],
): (path: DocumentPath) => StaticFile {
  const made = new Map<DocumentPath, StaticFile>();
  const openApi = () => openApiDocument({ routes, settings });
  const asyncApi = () => asyncApiDocument(settings);
  function make(path: DocumentPath): StaticFile {
    switch (path) {
      case "/openapi.json":
        return fileOf(JSON.stringify(openApi()), ".json", gzipSync);
      case "/asyncapi.json":
        return fileOf(JSON.stringify(asyncApi()), ".json", gzipSync);
      case "/docs":
      case "/docs/":
        return fileOf(documentsPage(openApi(), asyncApi(), errorCatalogue()), ".html", gzipSync);
      case "/docs/page.js":
        return fileOf(PAGE_SCRIPT, ".js", gzipSync);
    }
  }
  return (path) => {
    let file = made.get(path);
    if (file === undefined) {
      file = make(path);
      made.set(path, file);
    }
    return file;
  };
}
