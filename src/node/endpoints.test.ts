/** Every server of somebody else's may be named with user and password, and with or without a slash at the end. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import { systemClock } from "../lib/clock.js";
import { endpointOf } from "../lib/endpoint.js";
import { httpContactProvider } from "../services/contact/mod.js";
import { builtInGeocoder, defaultNominatimSettings, nominatimGeocoder } from "../services/geocoding/mod.js";
import { webhookProvider } from "../services/notifications/mod.js";
import { defaultHttpProviderSettings, httpPaymentProvider, httpProviderLedger } from "../services/payments/mod.js";
import { builtInRouter, defaultOsrmSettings, osrmRouter } from "../services/routing/mod.js";

const clock = systemClock();
const timeoutMs = 20_000;

t.test("R-OPS-2: user and password of an address are sent to it, and shown to nobody", async (t) => {
  const heard: { readonly path: string; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://host");
    heard.push({ path: pathname, authorization: request.headers.authorization });
    request.resume();
    response.end(JSON.stringify({ outcome: { outcome: "voided" }, movements: [], number: "+499999", routes: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const at = (url: string, credentials: string, end: string) => `${url.replace("//", `//${credentials}`)}/api${end}`;
  const message = { id: "i", channel: "sms", to: "t", locale: "en", title: "T", text: "x", subject: "s" } as const;
  const pair = { pairId: "p", customerId: "c", driverId: "d" };
  const here = { lat: 1, lng: 1 };
  const callers: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
    "/operations": (url) =>
      httpPaymentProvider({ ...defaultHttpProviderSettings, url, repeats: 0 }).void({
        key: "k",
        orderId: "o",
        authoriseKey: "a",
      }),
    "/ledger": (url) => httpProviderLedger(url).movements({ from: 0, to: 1 }, 0, 1),
    "": (url) => webhookProvider({ url, secret: "s", timeoutMs }, clock).send(message),
    "/pairs/p": (url) => httpContactProvider({ url, token: null, timeoutMs }).open(pair),
    "/search": (url) =>
      nominatimGeocoder({ ...defaultNominatimSettings, url, timeoutMs }, builtInGeocoder(), clock).find("x", 1),
    "/route/v1/car/1.000000,1.000000;2.000000,2.000000": async (url) => {
      const settings = { ...defaultOsrmSettings, url, profile: "car", timeoutMs, timeScale: 1 };
      const builtIn = builtInRouter({ speedMetersPerSecond: 6.5, streetFactor: 1.35 });
      return osrmRouter(settings, builtIn, clock).way(here, { lat: 2, lng: 2 });
    },
  };
  for (const [path, call] of Object.entries(callers)) {
    for (const end of ["", "/"]) {
      heard.length = 0;
      await call(at(`http://127.0.0.1:${port}`, "me:pa%20ss@", end));
      const authorization = `Basic ${Buffer.from("me:pa ss").toString("base64")}`;
      t.match(heard, [{ path: path === "" ? `/api${end}` : `/api${path}`, authorization }], path);
    }
    heard.length = 0;
    await call(at(`http://127.0.0.1:${port}`, "", ""));
    t.strictSame(heard[0]?.authorization, undefined);
    const refused = await call(at("http://127.0.0.1:1", "me:hidden@", "")).then(
      () => "",
      (error: unknown) => `${String(error)} ${String((error as Error).cause ?? "")}`,
    );
    t.notMatch(refused, /hidden/);
  }
  t.same(endpointOf("https://a%zz@host/x?y=1"), {
    url: "https://host/x?y=1",
    base: "https://host/x?y=1",
    headers: { authorization: `Basic ${Buffer.from("a%zz:").toString("base64")}` },
  });
});
