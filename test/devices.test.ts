import t, { type Test } from "tap";
import { defaultDomainSettings, domainActors } from "../src/actors/domain/mod.js";
import { eventually, type Harness, startHarness } from "../src/gateway/fixtures/harness.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { createDeviceService, DEFAULT_DEVICE_SETTINGS } from "../src/services/devices/mod.js";
import { createMemoryDeviceStore, createMemoryNotices } from "../src/store/memory/mod.js";

const clock = systemClock();
const PLACE = { lat: 4.65, lng: -74.08 };

async function start(
  t: Test,
): Promise<{ readonly harness: Harness; readonly token: string; readonly deviceId: string }> {
  const notices = createMemoryNotices().open();
  const devices = createDeviceService({
    store: createMemoryDeviceStore(),
    notices,
    clock,
    secret: "devices-in-tests",
    settings: { ...DEFAULT_DEVICE_SETTINGS, maxDevices: 2 },
  });
  const harness = await startHarness({ definitions: domainActors(defaultDomainSettings), devices });
  t.teardown(async () => {
    await harness.close();
    devices.close();
    await notices.close();
  });
  const driver = harness.token("driver", "dora");
  const online = await harness.http("POST", "/v1/drivers/me/online", {
    token: driver,
    body: { name: "Dora", vehicle: "bicycle", ...PLACE },
    headers: { "idempotency-key": "on" },
  });
  t.equal(online.status, 200);
  const added = await add(harness, "phone");
  t.equal(added.status, 200, JSON.stringify(added.body));
  return { harness, ...(added.body as { token: string; deviceId: string }) };
}

const add = (harness: Harness, key: string, driverId = "dora") =>
  harness.http("POST", "/v1/drivers/me/devices", {
    token: harness.token("driver", driverId),
    body: { label: "My old phone" },
    headers: { "idempotency-key": key },
  });

/** The second that has just begun: after the shift did, and not to come. */
async function thisSecond(): Promise<number> {
  const second = Math.ceil(clock.now() / 1000);
  while (clock.now() < second * 1000 + 10) await sleep(clock, 5);
  return second;
}

/** Where the driver is, for whom it may concern. */
async function seenAt(harness: Harness, at: number): Promise<{ readonly lat: number; readonly lng: number }> {
  const place = () =>
    (harness.mirrorCopy.get("fix:dora")?.value as { position?: { lat: number; lng: number; at: number } } | undefined)
      ?.position;
  await eventually("the driver's place", async () => place()?.at === at);
  const { lat, lng } = place()!;
  return { lat, lng };
}

t.test("R-GPS-7: a phone with OsmAnd or Traccar Client reports its driver's places", async (t) => {
  const { harness, token } = await start(t);
  const at = await thisSecond();
  const query = (fields: Record<string, string | number>): string =>
    new URLSearchParams(
      Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
  const report = {
    id: token,
    lat: 4.651,
    lon: -74.081,
    timestamp: at,
    speed: 10,
    bearing: 90,
    altitude: 2600,
    batt: 71,
  };
  const first = await harness.http("GET", `/v1/gps/osmand?${query(report)}`);
  t.same([first.status, first.body], [200, { flagged: 0 }], "what it says beside is not looked at");
  t.same(await seenAt(harness, at * 1000), { lat: 4.651, lng: -74.081 });
  const again = await harness.http("GET", `/v1/gps/osmand?${query({ ...report, lat: 4.7 })}`);
  t.equal(again.status, 200);
  t.match(await seenAt(harness, at * 1000), { lat: 4.651 }, "what came already is a duplicate");

  const posted = await harness.http(
    "POST",
    `/v1/gps/osmand?${query({ ...report, lat: 4.652, timestamp: at * 1000 + 1 })}`,
  );
  t.equal(posted.status, 200);
  t.match(await seenAt(harness, at * 1000 + 1), { lat: 4.652 }, "milliseconds and POST are as good");

  const body = {
    device_id: token,
    location: {
      timestamp: new Date(at * 1000 + 2).toISOString(),
      coords: { latitude: 4.653, longitude: -74.082, accuracy: 12, speed: 4.2, heading: 12, altitude: 2600 },
      is_moving: true,
      battery: { level: 0.7, is_charging: false },
    },
  };
  const json = await harness.http("POST", "/v1/gps/osmand", { body });
  t.equal(json.status, 200, JSON.stringify(json.body));
  t.same(await seenAt(harness, at * 1000 + 2), { lat: 4.653, lng: -74.082 });
});

t.test("R-GPS-7: a phone with OwnTracks reports its driver's places, and is answered as it expects", async (t) => {
  const { harness, token } = await start(t);
  const tst = await thisSecond();
  const path = `/v1/gps/owntracks?token=${token}&u=dora&d=phone`;
  const location = { _type: "location", lat: 4.651, lon: -74.081, tst, acc: 9, vel: 18, cog: 200, tid: "do", batt: 80 };
  const answer = await harness.http("POST", path, { body: location });
  t.same([answer.status, answer.body], [200, []]);
  t.same(await seenAt(harness, tst * 1000), { lat: 4.651, lng: -74.081 });
  const other = await harness.http("POST", path, { body: { _type: "lwt", tst } });
  t.same([other.status, other.body], [200, []], "its other messages are taken");
});

t.test(
  "R-GPS-7, R-GPS-3: a phone that had the wrong date once is heard again as soon as it has the right one",
  async (t) => {
    const { harness, token } = await start(t);
    const report = (lat: number, timestamp: number) =>
      harness.http("GET", `/v1/gps/osmand?id=${token}&lat=${lat}&lon=-74.08&timestamp=${timestamp}`);
    const tomorrow = (await thisSecond()) + 86_400;
    t.match(await report(4.651, tomorrow), { status: 200, body: { flagged: 1 } }, "a day ahead");
    const at = await thisSecond();
    t.match(await report(4.652, at), { status: 200, body: { flagged: 0 } });
    t.match(await seenAt(harness, at * 1000), { lat: 4.652 });
  },
);

t.test("R-GPS-7, R-ACC-3: the token reports places, can be taken away, and is good for nothing else", async (t) => {
  const { harness, token, deviceId } = await start(t);
  const report = (id: string) => harness.http("GET", `/v1/gps/osmand?id=${id}&lat=4.65&lon=-74.08`);
  t.equal((await harness.http("GET", "/v1/drivers/me/work", { token })).status, 401);
  t.match(await report("guessed"), { status: 401, body: { error: { code: "unauthenticated" } } });
  t.equal((await report("")).status, 400);
  t.match(await add(harness, "phone"), { body: { token, deviceId } }, "asking again gives the same");
  t.equal((await add(harness, "second")).status, 200);
  t.match(await add(harness, "third"), { status: 409, body: { error: { code: "too_many", detail: { most: 2 } } } });
  const dora = harness.token("driver", "dora");
  const dan = harness.token("driver", "dan");
  const list = await harness.http("GET", "/v1/drivers/me/devices", { token: dora });
  t.equal((list.body as { devices: unknown[] }).devices.length, 2);
  t.notMatch(JSON.stringify(list.body), token);
  t.same((await harness.http("GET", "/v1/drivers/me/devices", { token: dan })).body, { devices: [] });
  const path = `/v1/drivers/me/devices/${deviceId}`;
  t.equal((await harness.http("DELETE", path, { token: dan })).status, 404, "another's is not found");
  t.equal((await report(token)).status, 200);
  t.match(await harness.http("DELETE", path, { token: dora }), { status: 200, body: { deviceId } });
  t.equal((await report(token)).status, 401, "at once where it was taken away");
  t.notMatch(harness.logged.join("\n"), token);
});

t.test("R-PRO-5: what is no report is refused with its field", async (t) => {
  const { harness, token } = await start(t);
  const problemOf = async (query: string): Promise<string> => {
    const { status, body } = await harness.http("GET", `/v1/gps/osmand?id=${token}&${query}`);
    t.equal(status, 400, query);
    return (body as { error: { detail: { path: string } } }).error.detail.path;
  };
  t.equal(await problemOf("lat=4.6"), "/lon");
  t.equal(await problemOf("lon=4.6"), "/lat");
  t.equal(await problemOf("lat=91&lon=0"), "/lat");
  t.equal(await problemOf("lat=4&lon=0&timestamp=yesterday"), "/timestamp");
  t.equal(await problemOf("lat=4&lon=0&speed=fast"), "/speed");
  const old = await harness.http("GET", `/v1/gps/osmand?id=${token}&lat=4.6&lon=-74.1&timestamp=1`);
  t.same(old.body, { flagged: 1 }, "a clock that is far off is flagged, not shown");
});
