import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { systemClock } from "../../lib/clock.js";
import { distanceMeters } from "../../lib/geo.js";
import { builtInGeocoder, defaultNominatimSettings, nominatimGeocoder } from "./mod.js";

const builtIn = builtInGeocoder();

t.test("R-ORD-1 R-RST-1: the gazetteer finds houses of the demo city, in any spelling and with a typo", async (t) => {
  t.ok(builtIn.streets > 30);
  const [house] = await builtIn.find("12 Harbour Street", 1);
  t.match(house, { address: "12 Harbour Street, Lenneport", source: "built-in" });
  for (const text of [
    "harbour street 12",
    "12, HARBOUR STREET".replace(",", ""),
    "12 Harbor Stret, Lenneport",
    "12  hárbour street",
  ]) {
    const found = await builtIn.locate(text);
    t.same([found?.lat, found?.lng], [house?.lat, house?.lng], text);
  }
  const next = await builtIn.locate("14 Harbour Street");
  const meters = distanceMeters(house!, next!);
  t.ok(meters > 20 && meters < 40, "the second house from there");
  t.equal(await builtIn.locate("9999 Harbour Street"), null, "no street is so long");
  t.equal(await builtIn.locate("Yellow Brick Boulevard"), null);
  t.equal(await builtIn.locate("   "), null);
  t.equal(await builtIn.locate("'; DROP TABLE streets; --"), null);
  t.ok((await builtIn.find("Street", 10)).length <= 10);
});

async function serve(t: Test, answer: (url: URL) => { status?: number; body: unknown } | null) {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    asked.push(url.searchParams.get("q") ?? "");
    const said = answer(url);
    if (said === null) return;
    response.writeHead(said.status ?? 200, { "content-type": "application/json" }).end(JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

t.test("R-ORD-1: a Nominatim server is asked once for an address, and believed in its own format only", async (t) => {
  const places = [
    { lat: "41.0082", lon: "28.9784", display_name: "Sultanahmet, Istanbul" },
    { lat: "41.1", lon: "29.0", display_name: "Sultan, Istanbul" },
  ];
  const server = await serve(t, (url) => {
    t.equal(url.pathname, "/search");
    t.equal(url.searchParams.get("format"), "jsonv2");
    const q = url.searchParams.get("q");
    if (q === "nowhere") return { body: [] };
    if (q === "broken") return { body: [{ lat: "north", lon: "1" }] };
    if (q === "off the globe") return { body: [{ lat: "91", lon: "1" }] };
    if (q === "not a list") return { body: { error: "x" } };
    return { body: places };
  });
  const geocoder = nominatimGeocoder(
    { ...defaultNominatimSettings, url: server.url, timeoutMs: 5_000 },
    builtIn,
    systemClock(),
  );
  const all = await Promise.all(Array.from({ length: 20 }, () => geocoder.locate("Sultanahmet")));
  t.match(all[19], { lat: 41.0082, lng: 28.9784, address: "Sultanahmet, Istanbul", source: "nominatim" });
  t.same(await geocoder.find(" sultanahmet ", 2), [
    { lat: 41.0082, lng: 28.9784, address: "Sultanahmet, Istanbul", source: "nominatim" },
    { lat: 41.1, lng: 29, address: "Sultan, Istanbul", source: "nominatim" },
  ]);
  t.same(server.asked, ["sultanahmet"], "once, and then remembered");
  t.equal(await geocoder.locate("nowhere"), null);
  for (const q of ["broken", "off the globe", "not a list"]) t.equal(await geocoder.locate(q), null, q);
});

t.test(
  "R-CLU-5: while the server fails or is silent the gazetteer answers, and a server that is down is spared",
  async (t) => {
    let silent = false;
    const server = await serve(t, () => (silent ? null : { status: 500, body: {} }));
    const settings = { ...defaultNominatimSettings, url: server.url, timeoutMs: 50, breakAfter: 3, openMs: 60_000 };
    const geocoder = nominatimGeocoder(settings, builtIn, systemClock());
    t.match(await geocoder.locate("1 Mill Lane"), { source: "built-in" });
    silent = true;
    for (let house = 2; house <= 9; house++)
      t.match(await geocoder.locate(`${house} Mill Lane`), { source: "built-in" });
    t.equal(server.asked.length, 3, "the circuit is open");
  },
);
