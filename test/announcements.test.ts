import t, { type Test } from "tap";
import { type Harness, startHarness } from "../src/gateway/fixtures/harness.js";
import { systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { type Announcement, OP } from "../src/protocol/mod.js";
import { type AnnouncementService, createAnnouncements } from "../src/services/announcements/mod.js";
import { createMemoryAnnouncementStore, createMemoryNotices } from "../src/store/memory/mod.js";

const clock = systemClock();
const HOUR = 3_600_000;

/** Two gateways of one cluster: one store, one board of notices. */
async function start(t: Test): Promise<readonly [Harness, Harness]> {
  const store = createMemoryAnnouncementStore();
  const board = createMemoryNotices();
  const open = async (): Promise<Harness> => {
    const notices = board.open();
    const announcements: AnnouncementService = createAnnouncements({
      store,
      notices,
      clock,
      log: silentLog,
      secret: "announcements-in-tests",
    });
    await announcements.start();
    const harness = await startHarness({ announcements });
    t.teardown(async () => {
      await harness.close();
      announcements.close();
      await notices.close();
    });
    return harness;
  };
  return [await open(), await open()];
}

interface Draft {
  readonly title: string;
  readonly roles?: readonly string[];
  readonly zones?: readonly string[];
  readonly startsAt?: number;
  readonly endsAt?: number;
}

const publish = (harness: Harness, draft: Draft, key = draft.title.replaceAll(" ", "-")) =>
  harness.http("POST", "/v1/announcements", {
    token: harness.token("support", "ann"),
    headers: { "idempotency-key": key },
    body: { text: "…", endsAt: clock.now() + HOUR, ...draft },
  });

async function titlesOf(harness: Harness, role: "customer" | "driver", zone?: string): Promise<string[]> {
  const query = zone === undefined ? "" : `?zone=${zone}`;
  const { body } = await harness.http("GET", `/v1/announcements${query}`, { token: harness.token(role, "me") });
  return (body as { announcements: Announcement[] }).announcements.map(({ title }) => title);
}

t.test("R-COM-2: announcements are for roles and zones, in the order of their start, until they expire", async (t) => {
  const [a, b] = await start(t);
  const now = clock.now();
  t.equal((await publish(a, { title: "All" })).status, 200);
  await publish(a, { title: "Drivers", roles: ["driver"] });
  await publish(a, { title: "Old town", zones: ["z1", "z2"] });
  await publish(a, { title: "Tomorrow", startsAt: now + 24 * HOUR, endsAt: now + 48 * HOUR });
  t.same(await titlesOf(a, "customer"), ["All"]);
  t.same(await titlesOf(a, "driver"), ["All", "Drivers"]);
  t.same(await titlesOf(a, "customer", "z2"), ["All", "Old town"]);
  t.same(await titlesOf(b, "driver", "z1"), ["All", "Drivers", "Old town"], "on the other node too");
  const again = await publish(a, { title: "All" });
  t.equal(again.status, 200);
  t.same(await titlesOf(a, "customer"), ["All"], "asked twice, told once");
  const wrong = await publish(a, { title: "Never", endsAt: now - 1 });
  t.match(wrong, { status: 400, body: { error: { code: "invalid", detail: { path: "/endsAt" } } } });
  for (const title of ["Noon", "Noon too", "Noon again"]) {
    await publish(a, { title, startsAt: now + 12 * HOUR, endsAt: now + 48 * HOUR });
  }
  const titles: string[] = [];
  for (let path = "/v1/announcements/all?limit=2"; path !== ""; ) {
    const { body } = await a.http("GET", path, { token: a.token("admin", "root") });
    const page = body as { announcements: Announcement[]; nextBefore?: number };
    titles.push(...page.announcements.map(({ title }) => title));
    path = page.nextBefore === undefined ? "" : `/v1/announcements/all?limit=2&before=${page.nextBefore}`;
  }
  t.equal(titles[0], "Tomorrow");
  const published = ["All", "Drivers", "Noon", "Noon again", "Noon too", "Old town", "Tomorrow"];
  t.same(titles.sort(), published, "pages show each once, however many start in one millisecond");
  t.equal((await a.http("POST", "/v1/announcements", { token: a.token("customer", "me"), body: {} })).status, 403);
});

t.test(
  "R-COM-2: sockets on every node hear at once, those who come back are shown what stands, none twice",
  async (t) => {
    const [a, b] = await start(t);
    await publish(a, { title: "Before" });
    const driver = await b.connect("driver", "dora");
    driver.send([OP.sub, 1, "announcements:all"]);
    await driver.next((frame) => frame[0] === OP.subbed && frame[1] === "announcements:all");
    const titleOf = (frame: readonly unknown[]): unknown => (frame[6] as { title?: string } | null)?.title;
    const before = await driver.next((frame) => frame[0] === OP.state);
    t.equal(titleOf(before), "Before");
    await publish(a, { title: "Customers only", roles: ["customer"] });
    const rain = (await publish(a, { title: "Rain", roles: ["driver"] })).body as { announcementId: string };
    const heard = await driver.next((frame) => frame[0] === OP.state);
    t.equal(titleOf(heard), "Rain", "and what is not for this role is not told");
    t.ok((heard[5] as number) > HOUR / 2, "with the time until it expires");
    const path = `/v1/announcements/${rain.announcementId}/withdraw`;
    const withdrawn = await a.http("POST", path, {
      token: a.token("support", "ann"),
      headers: { "idempotency-key": "w" },
      body: { reason: "it is dry" },
    });
    t.match(withdrawn, { status: 200, body: { withdrawnBecause: "it is dry" } });
    const gone = await driver.next((frame) => frame[0] === OP.state);
    t.same([gone[2], gone[6]], [rain.announcementId, null], "taken back, it leaves the screen");
    driver.send([OP.sub, 2, "announcements:all"]);
    await driver.next((frame) => frame[0] === OP.subbed);
    t.equal(titleOf(await driver.next((frame) => frame[0] === OP.state)), "Before");
    await publish(b, { title: "After" });
    t.equal(titleOf(await driver.next((frame) => frame[0] === OP.state)), "After", "and nothing between");
    driver.send([OP.unsub, 3, "announcements:all"]);
    await driver.next((frame) => frame[0] === OP.reply && frame[1] === 3);
    driver.send([OP.sub, 4, "announcements:no such zone"]);
    t.match(await driver.next((frame) => frame[0] === OP.err), { 2: "unknown_channel" });
    driver.close();
  },
);

t.test("R-COM-2: a page without a socket hears by server-sent events", async (t) => {
  const [a, b] = await start(t);
  await publish(a, { title: "Standing" });
  const leave = new AbortController();
  t.teardown(() => leave.abort());
  const answer = await fetch(`${b.url}/v1/announcements/stream`, {
    headers: { authorization: `Bearer ${b.token("customer", "me")}` },
    signal: leave.signal,
  });
  t.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (part: string): Promise<void> => {
    while (!text.includes(part)) text += (await reader.read()).value ?? "";
  };
  await until('"title":"Standing"');
  const said = (await publish(a, { title: "Live" })).body as { announcementId: string };
  await until('"title":"Live"');
  await a.http("POST", `/v1/announcements/${said.announcementId}/withdraw`, {
    token: a.token("support", "ann"),
    headers: { "idempotency-key": "w" },
    body: { reason: "over" },
  });
  await until(`event: withdrawn\ndata: {"announcementId":"${said.announcementId}"}`);
  t.equal(text.split('"title":"Live"').length, 2, "told once");
  t.equal((await fetch(`${b.url}/v1/announcements/stream`)).status, 401);
});
