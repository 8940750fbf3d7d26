import t from "tap";
import type { Clock } from "../../lib/clock.js";
import { CLOSE, type GpsReply, OP } from "../../protocol/mod.js";
import { createTokens, generateTokenKey } from "../auth/tokens.js";
import type { AskResult } from "../ports.js";
import { DEFAULT_GATEWAY_SETTINGS } from "../settings.js";
import { newStats } from "../stats.js";
import type { Connection, OpenState } from "./connection.js";
import { gps } from "./gps.js";
import { refresh } from "./hello.js";
import { createSweep } from "./liveness.js";
import type { SocketDeps } from "./session.js";

const SWEEP_MS = 500;
const HOUR_MS = 3_600_000;

type Answered = (result: AskResult<GpsReply>) => void;

/** One open socket under the sweep, and clocks that go only when told. */
function world() {
  let monotonic = 1_000;
  let wall = 1_700_000_000_000;
  const clock: Clock = {
    now: () => wall,
    monotonic: () => monotonic,
    after: () => () => undefined,
    every: () => () => undefined,
  };
  const tokens = createTokens({ keys: [generateTokenKey("k")], clock, maxCached: 10 });
  const said: number[] = [];
  const closes: number[] = [];
  let spoken = false;
  const principal = { id: "d1", role: "driver", expiresAt: wall + HOUR_MS } as const;
  const connection = {
    frame(frame: readonly [number, ...unknown[]]) {
      spoken = true;
      said.push(frame[0]);
    },
    hasSpoken() {
      const had = spoken;
      spoken = false;
      return had;
    },
    state: { phase: "open", principal, warned: false, gpsInFlight: 0 } as unknown as OpenState,
    heardAt: monotonic,
    pingedAt: monotonic,
    askedAt: monotonic,
    quietUntil: 0,
  } as unknown as Connection;
  const connections = new Set([connection]);
  const registry = {
    connections,
    close(_connection: Connection, code: number) {
      closes.push(code);
      connections.delete(connection);
    },
  };
  const context = {
    clock,
    tokens,
    settings: DEFAULT_GATEWAY_SETTINGS,
    stats: newStats(),
    gpsLimits: { bucketOf: () => ({ take: () => 0 }) },
    gpsPieces: { add: (run: () => void) => run() },
    client: {
      askThen: (_to: unknown, _key: string, _name: string, _batch: unknown, _options: unknown, answered: Answered) =>
        answered(actorAnswers),
    },
  };
  let actorAnswers: AskResult<GpsReply> = { ok: true, value: { bootId: "boot", seq: 1, flagged: 0 } };
  const deps = { context, registry } as unknown as SocketDeps;
  const sweep = createSweep(deps);
  return {
    connection,
    tokens,
    said,
    closes,
    setWallClock: (ms: number) => {
      wall += ms;
    },
    now: () => wall,
    /** A fix comes on the socket, and the driver's actor answers it as it was told to. */
    fix() {
      connection.heardAt = monotonic;
      gps(deps, connection, connection.state as OpenState, "boot", 1, wall, [[0, 41, 29, 5, -1, -1]]);
    },
    /** REFRESH with a token that is good for so long. */
    brings(ms: number) {
      const token = tokens.issue({ id: "d1", role: "driver" }, Math.floor(ms / 1000));
      refresh(deps, connection, connection.state as OpenState, 0, token);
    },
    actorAnswers(answer: AskResult<GpsReply>) {
      actorAnswers = answer;
    },
    go(ms: number, each: () => void = () => undefined) {
      for (let passed = 0; passed < ms; passed += SWEEP_MS) {
        monotonic += SWEEP_MS;
        wall += SWEEP_MS;
        each();
        sweep();
      }
    },
  };
}
const { pingMs, silenceMs } = DEFAULT_GATEWAY_SETTINGS;
const pings = (said: readonly number[]): number => said.filter((op) => op === OP.ping).length;

t.test("R-PRO-1: who says nothing is pinged, and closed when nothing comes", async (t) => {
  const w = world();
  w.go(pingMs - SWEEP_MS);
  t.equal(pings(w.said), 0);
  w.go(SWEEP_MS);
  t.equal(pings(w.said), 1);
  w.go(silenceMs - pingMs - SWEEP_MS);
  t.same(w.closes, []);
  w.go(SWEEP_MS);
  t.same(w.closes, [CLOSE.noPong]);
});

t.test("R-PRO-1: a line on which both are heard anyway is not pinged", async (t) => {
  const w = world();
  w.go(5 * pingMs, w.fix);
  t.equal(pings(w.said), 0, "fixes and their acknowledgements");
  t.equal(w.said.filter((op) => op === OP.gpsAck).length, (5 * pingMs) / SWEEP_MS);
  w.actorAnswers({ ok: false, error: { code: "driver_offline", temporary: false } });
  w.go(5 * pingMs, w.fix);
  t.equal(pings(w.said), 0, "fixes and their refusals");
  w.go(5 * pingMs, () => {
    w.connection.heardAt += SWEEP_MS;
  });
  t.equal(pings(w.said), 5, "who is only heard has to know that we are here");
  t.same(w.closes, []);
});

t.test("R-PRO-1: who is only told is asked in time to answer, and hears of us in time", async (t) => {
  const told = world();
  const tell = (): void => void told.connection.frame([OP.tokenExpiring, 1]);
  told.go(silenceMs - SWEEP_MS, tell);
  t.equal(pings(told.said), 0);
  told.go(pingMs * 0.25 + SWEEP_MS, tell);
  t.equal(pings(told.said), 1);
  told.go(silenceMs - pingMs * 1.25 - 2 * SWEEP_MS, tell);
  t.same(told.closes, [], "it has as long to answer as anybody");
  told.go(pingMs * 0.25 + 2 * SWEEP_MS, tell);
  t.same(told.closes, [CLOSE.noPong]);

  const stopped = world();
  stopped.go(silenceMs - pingMs, () => stopped.connection.frame([OP.tokenExpiring, 1]));
  stopped.go(pingMs);
  t.equal(pings(stopped.said), 1, "whoever was told things and is not told any more");
  t.same(stopped.closes, [], "is asked before it is given up");

  const once = world();
  once.connection.frame([OP.tokenExpiring, 1]);
  once.go(pingMs);
  t.equal(pings(once.said), 0);
  once.go(pingMs * 0.25);
  t.equal(pings(once.said), 1);
});

t.test("R-PRO-1: a token's end is told and kept also of a quiet socket", async (t) => {
  const w = world();
  const heard = (): void => {
    w.connection.heardAt += SWEEP_MS;
  };
  w.go(HOUR_MS - DEFAULT_GATEWAY_SETTINGS.tokenWarningMs - SWEEP_MS, heard);
  t.notOk(w.said.includes(OP.tokenExpiring));
  w.go(SWEEP_MS, heard);
  t.ok(w.said.includes(OP.tokenExpiring));
  w.go(DEFAULT_GATEWAY_SETTINGS.tokenWarningMs - SWEEP_MS, heard);
  t.same(w.closes, []);
  w.go(SWEEP_MS, heard);
  t.same(w.closes, [CLOSE.tokenExpired]);
});

t.test("R-PRO-1: who has no better token to bring is told once, and then lets the line end", async (t) => {
  const { tokenWarningMs } = DEFAULT_GATEWAY_SETTINGS;
  const w = world();
  let told = 0;
  /** As a client does whose token does not change: it answers with what it has. */
  const answering = (leftMs: () => number) => (): void => {
    w.connection.heardAt += SWEEP_MS;
    if (!w.said.splice(0).includes(OP.tokenExpiring)) return;
    told++;
    w.brings(leftMs());
  };
  const endsAt = w.now() + HOUR_MS;
  w.go(
    HOUR_MS - tokenWarningMs / 2,
    answering(() => endsAt - w.now()),
  );
  t.equal(told, 1, "asked again each half second, it would bring the same again");
  w.brings(HOUR_MS);
  w.go(
    HOUR_MS - tokenWarningMs / 2,
    answering(() => HOUR_MS),
  );
  t.equal(told, 2, "of a new token's end it is told as of the first's");
  t.same(w.closes, []);
});

t.test("R-PRO-1: the next sweep notices a ban and a wall clock that was set", async (t) => {
  for (const [happens, code] of [
    [
      (w: ReturnType<typeof world>) =>
        w.tokens.revoke([{ key: "p:driver/d1", until: w.now() + HOUR_MS, why: "banned" }]),
      CLOSE.forbidden,
    ],
    [(w: ReturnType<typeof world>) => w.setWallClock(HOUR_MS), CLOSE.tokenExpired],
  ] as const) {
    const w = world();
    w.go(7 * SWEEP_MS);
    t.same(w.closes, []);
    happens(w);
    w.go(SWEEP_MS);
    t.same(w.closes, [code]);
  }
});
