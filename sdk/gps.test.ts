import t from "tap";
import { seededRandom } from "../src/lib/random.js";
import { type ScriptedSocket, scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { VirtualClock } from "./fixtures/virtual-clock.js";
import { createClient, type GpsPolicy } from "./mod.js";

type GpsFrame = [op: 6, bootId: string, seq0: number, baseTs: number, fixes: number[][]];
const ON: GpsPolicy = { send: true, everyMs: 5000, reason: "available" };

function setup(maxKeptFixes = 240) {
  const clock = new VirtualClock();
  const { Socket, made } = scriptedSockets();
  const client = createClient({
    url: "http://n",
    token: "t",
    WebSocket: Socket,
    clock,
    random: seededRandom(3),
    maxKeptFixes,
    backoffBaseMs: 1,
    backoffMaxMs: 1,
  });
  const last = (): ScriptedSocket => made[made.length - 1]!;
  const goLive = (): void => {
    last().opens();
    last().receives(WELCOME(clock.now(), 10_000_000));
  };
  let meters = 0;
  /** A fix now, and the clock on by a step. */
  const drive = async (steps: number, everyMs = 5000): Promise<string[]> => {
    const results: string[] = [];
    for (let i = 0; i < steps; i++) {
      results.push(client.gps.offer({ lat: 50 + meters / 111_000, lng: 4, accuracyMeters: 5 }));
      meters += 30;
      await clock.advance(everyMs);
    }
    return results;
  };
  const frames = (socket: ScriptedSocket): GpsFrame[] => socket.sent.filter((f) => f[0] === 6) as unknown as GpsFrame[];
  return { client, clock, made, last, goLive, drive, frames };
}

/** The times of a frame's fixes. */
const times = ([, , , baseTs, fixes]: GpsFrame): number[] => fixes.map((fix) => baseTs + fix[0]!);

t.test("R-GPS-9: nothing is sent until the node says so, at its cadence, and not after it says stop", async (t) => {
  const { client, last, goLive, drive, frames, clock } = setup();
  const policies: GpsPolicy[] = [];
  client.gps.onPolicy((policy) => policies.push(policy));
  client.subscribe("driver:d", {});
  client.connect();
  goLive();
  t.same(await drive(2), ["off", "off"]);
  last().receives(
    [21, "driver:d", 1, 4, false],
    [20, "driver:d", "snapshot", [1, 1], 0, 0, { onShift: true, offers: [], trip: null, gps: ON }],
  );
  t.same(await drive(10, 1000), ["taken", ...Array(4).fill("too_soon"), "taken", ...Array(4).fill("too_soon")]);
  t.equal(frames(last()).length, 2);
  last().receives([19, "driver:d", 5, "gps.policy", 0, { send: true, everyMs: 3000, reason: "on_trip" }]);
  t.same(await drive(3, 3000), ["taken", "taken", "taken"]);
  last().receives([19, "driver:d", 6, "gps.policy", 0, { send: false, everyMs: 3000, reason: "off_shift" }]);
  const before = frames(last()).length;
  t.same(await drive(3), ["off", "off", "off"]);
  t.equal(frames(last()).length, before);
  t.equal(client.gps.kept, 0, "what was measured is not kept beyond the wish to have it");
  t.same(
    policies.map((policy) => [policy.send, policy.everyMs]),
    [
      [false, 5000],
      [true, 5000],
      [true, 3000],
      [false, 3000],
    ],
  );
  await clock.advance(0);
});

t.test(
  "R-GPS-2: numbers rise by one, acknowledged fixes are forgotten, others' acknowledgements are ignored",
  async (t) => {
    const { client, last, goLive, drive, frames } = setup();
    client.connect();
    goLive();
    client.gps.apply(ON);
    await drive(4);
    t.same(
      frames(last()).map((frame) => frame[2]),
      [0, 1, 2, 3],
    );
    last().receives([23, "another-boot", 3]);
    t.equal(client.gps.kept, 4);
    last().receives([23, client.gps.bootId, 2]);
    t.equal(client.gps.kept, 1);
    last().receives([23, client.gps.bootId, 0]);
    t.equal(client.gps.kept, 1, "an older acknowledgement changes nothing");
  },
);

t.test(
  "R-GPS-2: after a reconnect the unacknowledged go again under their numbers, the newest fix in the first frame",
  async (t) => {
    const { client, clock, last, goLive, drive, frames } = setup();
    client.connect();
    goLive();
    client.gps.apply(ON);
    await drive(3);
    last().receives([23, client.gps.bootId, 0]);
    last().closes(1006);
    await clock.advance(2);
    await drive(100);
    const newest = clock.now() - 5000;
    goLive();
    await clock.advance(0);
    const first = frames(last())[0]!;
    t.equal(first[2], 1, "from the first unacknowledged number");
    t.equal(first[4].length, 60);
    t.equal(Math.max(...times(first)), newest, "the newest one is in it");
    t.same([...times(first)].sort(), times(first), "in order of time");
    last().receives([23, client.gps.bootId, 60]);
    await drive(2);
    const [, second, third] = frames(last());
    t.equal(second![2], 61);
    t.equal(
      Math.max(...times(second!)),
      newest + 5000,
      "each later frame has the newest, and older ones as room allows",
    );
    last().receives([23, client.gps.bootId, 60 + second![4].length + third![4].length]);
    t.equal(client.gps.kept, 0);
    t.equal(client.gps.dropped, 0);
    const all = [first, second!, third!].flatMap(times);
    t.equal(new Set(all).size, 104, "nothing that was measured is missing, nothing is there twice");
  },
);

t.test("R-PRO-5: what is kept is bounded in number and age", async (t) => {
  const { client, drive, clock } = setup(50);
  client.gps.apply(ON);
  await drive(200);
  t.equal(client.gps.kept, 50);
  t.equal(client.gps.dropped, 150);
  await clock.advance(3_600_000);
  await drive(1);
  t.equal(client.gps.kept, 1);
});

t.test("R-GPS-2: a frame that the node refused for now goes again with the next fix", async (t) => {
  const { client, last, goLive, drive, frames } = setup();
  client.connect();
  goLive();
  client.gps.apply(ON);
  await drive(2);
  last().receives([18, 0, "rate_limited", true, 2000]);
  await drive(2);
  t.same(
    frames(last()).map((frame) => [frame[2], frame[4].length]),
    [
      [0, 1],
      [1, 1],
      [0, 3],
      [3, 1],
    ],
  );
});

t.test("R-TRK-2: a slow line holds positions back here, and the next frame has them all", async (t) => {
  const { client, last, goLive, drive, frames } = setup();
  client.connect();
  goLive();
  client.gps.apply(ON);
  last().bufferedAmount = 100_000;
  await drive(3);
  t.equal(frames(last()).length, 0);
  last().bufferedAmount = 0;
  await drive(1);
  t.same(
    frames(last()).map((frame) => frame[4].length),
    [4],
  );
});

t.test("R-GPS-3: a fix with the time of a wrong clock is sent in the node's time, others as they are", async (t) => {
  const sent = async (serverAheadMs: number, fixAheadMs: number): Promise<number> => {
    const { client, last, frames, clock } = setup();
    client.connect();
    last().opens();
    last().receives(WELCOME(clock.now() + serverAheadMs, 10_000_000));
    client.gps.apply(ON);
    client.gps.offer({ lat: 50, lng: 4, accuracyMeters: 5, at: clock.now() + fixAheadMs });
    await clock.advance(0);
    const [at] = times(frames(last())[0]!);
    client.close();
    return at === undefined ? Number.NaN : at - clock.now();
  };
  const TEN_MINUTES_MS = 600_000;
  t.equal(await sent(TEN_MINUTES_MS, 0), TEN_MINUTES_MS, "the phone is ten minutes late");
  t.equal(await sent(TEN_MINUTES_MS, -3_000), TEN_MINUTES_MS - 3_000, "a fix of three seconds ago");
  t.equal(await sent(-TEN_MINUTES_MS, 0), -TEN_MINUTES_MS, "the phone is ten minutes early");
  t.equal(await sent(TEN_MINUTES_MS, TEN_MINUTES_MS), TEN_MINUTES_MS, "the satellites told the receiver the time");
  t.equal(await sent(20_000, 0), 0, "an answer that took its time is no reason");
});

t.test(
  "R-PRO-3 R-GPS-2: where no socket comes, positions go by HTTP under the same numbers, and never twice at once",
  async (t) => {
    const clock = new VirtualClock();
    const { Socket, made } = scriptedSockets();
    const sent: { readonly seq0: number; readonly fixes: readonly unknown[] }[] = [];
    let answers: "all" | "none" | "slowly" = "all";
    let answer = (): void => undefined;
    const client = createClient({
      url: "http://n",
      token: "t",
      WebSocket: Socket,
      clock,
      random: seededRandom(3),
      commandsByHttpAfterMs: 10_000,
      backoffBaseMs: 1,
      backoffMaxMs: 1,
      fetch: async (url, { body }) => {
        t.equal(url, "http://n/v1/gps");
        const batch = JSON.parse(body ?? "") as { bootId: string; seq0: number; fixes: readonly unknown[] };
        sent.push(batch);
        if (answers === "none") throw new Error("no network");
        if (answers === "slowly") await new Promise<void>((resolve) => (answer = resolve));
        const seq = batch.seq0 + batch.fixes.length - 1;
        return { ok: true, body: null, json: async () => ({ bootId: batch.bootId, seq, flagged: 0 }) };
      },
    });
    t.teardown(() => client.close());
    client.connect();
    client.gps.apply(ON);
    const drive = async (steps: number): Promise<void> => {
      for (let i = 0; i < steps; i++) {
        client.gps.offer({ lat: 50, lng: 4, accuracyMeters: 5 });
        await clock.advance(5_000);
      }
    };
    const shapes = () => sent.splice(0).map(({ seq0, fixes }) => [seq0, fixes.length]);
    await drive(2);
    t.same(shapes(), [], "a socket that was lost a moment ago may be back in the next");
    await drive(2);
    t.same(shapes(), [
      [0, 3],
      [3, 1],
    ]);
    answers = "none";
    await drive(2);
    t.same(
      shapes(),
      [
        [4, 1],
        [4, 2],
      ],
      "what failed goes again with the next",
    );
    answers = "slowly";
    await drive(3);
    t.same(shapes(), [[4, 3]], "one at a time");
    answer();
    answers = "all";
    await clock.advance(1);
    await drive(1);
    t.same(shapes(), [[7, 3]]);
    t.equal(client.gps.kept, 0);
    made.at(-1)?.opens();
    made.at(-1)?.receives(WELCOME(clock.now(), 10_000_000));
    await drive(1);
    t.same(shapes(), [], "the socket has it again");
    t.same(
      (made.at(-1)!.sent as unknown as GpsFrame[]).filter(([op]) => op === 6).map(([, , seq0]) => seq0),
      [10],
    );
  },
);

t.test("R-GPS-9: a clock that is set back, or a fix from the future, silences a driver for moments only", async (t) => {
  const { client, clock, last, goLive, drive, frames } = setup();
  client.connect();
  goLive();
  client.gps.apply(ON);
  const AHEAD_MS = 3_600_000;
  client.gps.offer({ lat: 50, lng: 4, accuracyMeters: 5, at: clock.now() + AHEAD_MS });
  await clock.advance(5000);
  const results = await drive(12);
  t.equal(results.at(0), "too_soon", "it may be the one receiver of two whose time is wrong");
  t.same(results.slice(-4), ["taken", "taken", "taken", "taken"]);
  await clock.advance(0);
  const newest = frames(last()).at(-1)!;
  t.ok(times(newest).every((at) => at <= clock.now()));
  t.equal(newest[2], frames(last()).length - 1, "no number is given twice");
  last().closes(1006);
  await clock.advance(2);
  goLive();
  await clock.advance(0);
  t.ok(
    times(frames(last())[0]!).every((at) => at <= clock.now()),
    "nothing of the time to come is sent again",
  );
});
