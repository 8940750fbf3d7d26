import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { distanceMeters, type Point } from "../../lib/geo.js";
import { builtInRouter, defaultOsrmSettings, type OsrmSettings, osrmRouter } from "./mod.js";

const clock = systemClock();
const HERE: Point = { lat: 4.65, lng: -74.08 };
const THERE: Point = { lat: 4.66, lng: -74.05 };
const builtIn = builtInRouter({ speedMetersPerSecond: 6.5, streetFactor: 1.35 });
/** Long enough for a busy machine; what must not wait so long is told by which router answered. */
const PATIENT_MS = 20_000;

type Behaviour = "well" | "no route" | "error" | "nonsense" | "other json" | "hang" | "hang up";

interface FakeCity {
  readonly url: string;
  readonly requests: string[];
  behaviour: Behaviour;
  close(): Promise<void>;
}

const metersOf = (a: Point, b: Point): number => Math.round(distanceMeters(a, b) * 1.5);

/** A server that speaks OSRM's HTTP API for a city without streets: one and a half times the distance, at 5 m/s. */
async function startServer(): Promise<FakeCity> {
  const requests: string[] = [];
  const held: ServerResponse[] = [];
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    requests.push(`${url.pathname}${url.search}`);
    const send = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(text);
    };
    switch (city.behaviour) {
      case "hang":
        held.push(response);
        return;
      case "hang up":
        request.socket.destroy();
        return;
      case "error":
        return send(500, '{"code":"InternalError"}');
      case "nonsense":
        return send(200, "<html>not the server you meant</html>");
      case "other json":
        return send(200, '{"code":"Ok","routes":[{"duration":"soon"}],"durations":[["soon"]]}');
      case "no route":
        return send(400, '{"code":"NoRoute","message":"Impossible route between points"}');
      case "well":
        return send(200, JSON.stringify(answerOf(url)));
    }
  });
  const city: FakeCity = {
    url: "",
    requests,
    behaviour: "well",
    async close() {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(city, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function answerOf(url: URL): object {
  const [, service, version, profile, list] = url.pathname.split("/");
  if (version !== "v1" || profile !== "bike") return { code: "InvalidUrl" };
  const places = (list ?? "").split(";").map((each): Point => {
    const [lng, lat] = each.split(",").map(Number);
    return { lat: lat ?? 0, lng: lng ?? 0 };
  });
  const waypoints = places.map(({ lat, lng }) => ({ location: [lng, lat], name: "", hint: "" }));
  if (service === "route") {
    const distance = metersOf(places[0]!, places[1]!);
    const leg = { steps: [], distance, duration: distance / 5, summary: "", weight: distance / 5 };
    return {
      code: "Ok",
      routes: [{ legs: [leg], distance, duration: distance / 5, weight_name: "duration" }],
      waypoints,
    };
  }
  const chosen = (name: string): Point[] =>
    (url.searchParams.get(name) ?? "").split(";").map((i) => places[Number(i)]!);
  const distances = chosen("sources").map((a) => chosen("destinations").map((b) => metersOf(a, b)));
  return { code: "Ok", distances, durations: distances.map((row) => row.map((meters) => meters / 5)) };
}

const settingsFor = (city: FakeCity, more: Partial<OsrmSettings> = {}): OsrmSettings => ({
  ...defaultOsrmSettings,
  url: city.url,
  profile: "bike",
  timeoutMs: PATIENT_MS,
  ...more,
});

t.test("R-ETA-2: the built-in router is distance × street factor ÷ speed", async (t) => {
  const meters = distanceMeters(HERE, THERE) * 1.35;
  t.strictSame(builtIn.way(HERE, THERE), {
    meters: Math.round(meters),
    durationMs: Math.round((meters / 6.5) * 1000),
    source: "built-in",
  });
  t.strictSame(builtIn.ways([HERE, THERE], [THERE]), [[builtIn.way(HERE, THERE)], [builtIn.way(THERE, THERE)]]);
});

t.test("R-ETA-2: an OSRM-compatible server says how long the way is, once for each way", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  const router = osrmRouter(settingsFor(city, { timeScale: 60 }), builtIn, clock);
  const meters = metersOf(HERE, THERE);
  const way = { meters, durationMs: Math.round(((meters / 5) * 1000) / 60), source: "osrm" };
  t.strictSame(await router.way(HERE, THERE), way, "a day sixty times as fast has ways sixty times as short");
  t.strictSame(city.requests, ["/route/v1/bike/-74.080000,4.650000;-74.050000,4.660000?overview=false&steps=false"]);
  t.strictSame(router.way(HERE, THERE), way, "known: at once");
  t.equal(city.requests.length, 1);
  t.strictSame(router.stats, { asked: 1, kept: 1, fellBack: 0 });
});

t.test("R-ETA-2: a table is one request", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  const router = osrmRouter(settingsFor(city), builtIn, clock);
  const end: Point = { lat: 4.6, lng: -74.1 };
  const found = await router.ways([HERE, THERE], [end, HERE]);
  t.strictSame(
    found.map((row) => row.map(({ meters }) => meters)),
    [
      [metersOf(HERE, end), 0],
      [metersOf(THERE, end), metersOf(THERE, HERE)],
    ],
  );
  t.match(city.requests, [/^\/table\/v1\/bike\/.*\?sources=0;1&destinations=2;3&annotations=duration,distance$/]);
  t.equal(router.way(THERE, HERE), found[1]?.[1], "its ways are remembered like others");
  t.strictSame(router.ways([], [HERE]), []);
  t.equal(city.requests.length, 1);
});

t.test("R-ETA-2: a server that fails, talks nonsense or hangs up is fallen back from", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  for (const behaviour of ["error", "nonsense", "other json", "no route", "hang up"] as const) {
    city.behaviour = behaviour;
    const router = osrmRouter(settingsFor(city), builtIn, clock);
    t.strictSame(await router.way(HERE, THERE), builtIn.way(HERE, THERE), behaviour);
    t.strictSame(await router.ways([HERE], [THERE]), [[builtIn.way(HERE, THERE)]], `${behaviour}: table`);
    t.equal(router.stats.fellBack, 2);
    city.behaviour = "well";
    t.match(await router.way(HERE, THERE), { source: "osrm" }, `${behaviour}: it is asked again`);
  }
  const nobody = osrmRouter({ ...settingsFor(city), url: "http://127.0.0.1:1" }, builtIn, clock);
  t.match(await nobody.way(HERE, THERE), { source: "built-in" }, "nobody listens");
});

t.test("R-ETA-2: a server that hangs costs the time limit, and after a few times nothing", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  city.behaviour = "hang";
  const router = osrmRouter(settingsFor(city, { timeoutMs: 30, breakAfter: 3, openMs: 60_000 }), builtIn, clock);
  for (let n = 0; n < 6; n++) t.match(await router.way(HERE, THERE), { source: "built-in" });
  t.equal(router.stats.asked, 3, "then the circuit is open");
  t.equal(router.stats.fellBack, 6);
});

t.test("R-ETA-2: an open circuit closes again when the server is back", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  city.behaviour = "error";
  const router = osrmRouter(settingsFor(city, { breakAfter: 1, openMs: 20 }), builtIn, clock);
  t.match(await router.way(HERE, THERE), { source: "built-in" });
  city.behaviour = "well";
  // The circuit lets one through now and then; once it has been answered it is closed.
  let way = await router.way(HERE, THERE);
  for (let n = 0; n < 2_000 && way.source !== "osrm"; n++) {
    await new Promise<void>((resolve) => clock.after(10, resolve));
    way = await router.way(HERE, THERE);
  }
  t.equal(way.source, "osrm");
});

t.test("R-ETA-2: ways and requests at once are bounded", async (t) => {
  const city = await startServer();
  t.teardown(() => city.close());
  const small = osrmRouter(settingsFor(city, { maxKept: 2 }), builtIn, clock);
  const places = Array.from({ length: 4 }, (_, n): Point => ({ lat: 4.6 + n / 100, lng: -74 }));
  for (const place of places) await small.way(HERE, place);
  await small.way(HERE, places[0]!);
  t.equal(city.requests.length, 5, "the oldest was forgotten");
  city.behaviour = "hang";
  const narrow = osrmRouter(settingsFor(city, { maxInFlight: 2, timeoutMs: 200 }), builtIn, clock);
  const answers = await Promise.all(places.map((place) => narrow.way(THERE, place)));
  t.ok(answers.every(({ source }) => source === "built-in"));
  t.equal(narrow.stats.asked, 2, "the others did not even ask");
});
