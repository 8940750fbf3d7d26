/** Serves the live map of a local cluster. Its client speaks to the nodes themselves, to the next one when one fails. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../config/mod.js";
import { zonesInReach } from "../../src/actors/domain/mod.js";
import { cityGeoJson } from "../city/mod.js";
import { demoCity, type NodeControl } from "../live/mod.js";

const PAGES = fileURLToPath(new URL("../../apps/live/", import.meta.url));
const OPERATIONS = { id: "demo-operations", role: "support" } as const;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

export interface MapPage {
  readonly port: number;
  /** From where the browser asks: the nodes must let it. */
  readonly origins: readonly string[];
  /** From now on the page can be opened. */
  open(control: NodeControl, urls: () => readonly string[]): void;
  close(): Promise<void>;
}

/** False until `npm run build` has made the pages. */
export function hasPages(): boolean {
  return existsSync(join(PAGES, "index.html"));
}

/** Listens on the loopback. Rejects when the port is taken. */
export async function startPage(port: number): Promise<MapPage> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(PAGES, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(`/${relative(PAGES, file).split(sep).join("/")}`, file);
  }
  const city = demoCity();
  const places = city.restaurants.map(({ profile }) => profile);
  const [lats, lngs] = [places.map(({ lat }) => lat), places.map(({ lng }) => lng)];
  const bounds = {
    west: Math.min(...lngs),
    east: Math.max(...lngs),
    south: Math.min(...lats),
    north: Math.max(...lats),
  };
  const center = { lat: (bounds.south + bounds.north) / 2, lng: (bounds.west + bounds.east) / 2 };
  const { borderMeters } = loadConfig({ argv: [], env: {} }).domain.zone;
  const zones = [...new Set(places.flatMap((place) => zonesInReach(place, borderMeters)))];
  let session: (() => Promise<object>) | null = null;

  const answer = async (path: string): Promise<{ readonly type: string; readonly body: string | Buffer }> => {
    if (path === "/live/session" && session !== null) {
      return { type: "application/json", body: JSON.stringify(await session()) };
    }
    if (path === "/live/city.json") return { type: "application/json", body: JSON.stringify(cityGeoJson(city)) };
    // Whatever else is asked for gets the page: only names that are in the table lead to files.
    const file = files.get(path) ?? join(PAGES, "index.html");
    return { type: TYPES[extname(file)] ?? "application/octet-stream", body: readFileSync(file) };
  };
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    answer(pathname).then(
      ({ type, body }) => response.setHeader("content-type", type).setHeader("cache-control", "no-store").end(body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    port: bound,
    origins: [`http://127.0.0.1:${bound}`, `http://localhost:${bound}`],
    open(control, urls) {
      session = async () => {
        const tokens = await control.tokens([OPERATIONS]);
        return { token: tokens.get(OPERATIONS.id), zones, center, bounds, name: "Demo city", urls: urls() };
      };
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
