import t from "tap";
import { seededRandom } from "../src/lib/random.js";
import { type ScriptedSocket, scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { VirtualClock } from "./fixtures/virtual-clock.js";
import { type ClientOptions, type ConnectionState, createClient } from "./mod.js";

function setup(options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const { Socket, made } = scriptedSockets();
  const states: ConnectionState[] = [];
  const client = createClient({
    url: "http://node.test",
    token: "token",
    deviceId: "device",
    WebSocket: Socket,
    clock,
    random: seededRandom(7),
    ...options,
  });
  client.onState((state) => states.push(state));
  const last = (): ScriptedSocket => made[made.length - 1]!;
  const goLive = (): ScriptedSocket => {
    last().opens();
    last().receives(WELCOME(clock.now()));
    return last();
  };
  const open = (): number => made.filter((socket) => socket.isOpen).length;
  const pause = (): number => {
    const state = states[states.length - 1]!;
    return state.name === "waiting" ? state.retryInMs : Number.NaN;
  };
  return { client, clock, made, states, last, goLive, open, pause, names: () => states.map((state) => state.name) };
}

t.test("R-PRO-3: from idle to live, HELLO first and the token never in the address", async (t) => {
  const { client, goLive, names, made } = setup();
  t.equal(client.state.name, "idle");
  client.connect();
  client.connect();
  const socket = goLive();
  t.same(names(), ["connecting", "greeting", "live"]);
  t.equal(made.length, 1, "connecting twice makes one socket");
  t.equal(socket.url, "ws://node.test/v1/ws");
  t.same(socket.protocols, ["swifteats.v1.msgpack"]);
  t.same(socket.sent[0], [1, "token", "device", "1.0.0"]);
  t.equal(socket.binaryType, "arraybuffer");
});

t.test(
  "R-PRO-3: subscriptions go together with HELLO, once on each socket, and are told of only after WELCOME",
  async (t) => {
    const { client, clock, last } = setup({ backoffBaseMs: 100 });
    const started: unknown[] = [];
    client.subscribe("driver:d", { subscribed: (start) => started.push(start) }, { from: { epoch: 1, offset: 7 } });
    client.connect();
    last().opens();
    const hello = [1, "token", "device", "1.0.0"];
    const [, id] = last().sent[1] as [number, number];
    t.same(last().sent, [hello, [2, id, "driver:d", 1, 7]]);
    last().closes(1006);
    await clock.advance(200);
    last().opens();
    const [, again] = last().sent[1] as [number, number];
    t.not(again, id, "the first socket may answer no more");
    last().receives([21, "driver:d", 1, 9, true]);
    t.same(started, [], "nothing counts before WELCOME");
    last().receives(WELCOME(clock.now()), [21, "driver:d", 1, 9, true]);
    t.same(started, [{ epoch: 1, top: 9, recovered: true }]);
    t.same(last().sent, [hello, [2, again, "driver:d", 1, 7]], "asked once");
    client.subscribe("order:o", {});
    await clock.advance(0);
    t.equal(last().sent.length, 3, "and at once from then on");
  },
);

t.test("R-PRO-3: a lost connection is tried again after a pause that grows, with full jitter", async (t) => {
  const { client, clock, last, states, open } = setup({ backoffBaseMs: 1000, backoffMaxMs: 8000 });
  client.connect();
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    last().closes(1006);
    const state = states[states.length - 1]!;
    t.equal(state.name, "waiting");
    if (state.name !== "waiting") return;
    pauses.push(state.retryInMs);
    const bound = Math.min(8000, 1000 * 2 ** attempt);
    t.ok(state.retryInMs <= bound, `pause ${attempt} is within ${bound} ms`);
    t.equal(open(), 0);
    await clock.advance(state.retryInMs);
    t.equal(client.state.name, "connecting");
  }
  t.equal(new Set(pauses).size, pauses.length, "pauses differ");
});

t.test("R-PRO-3: a connection that lived long starts the pauses small again, a short one does not", async (t) => {
  const { client, clock, last, goLive, states, pause } = setup({ backoffBaseMs: 100, backoffMaxMs: 100_000 });
  const attempt = (): number => {
    const state = states[states.length - 1]!;
    return state.name === "waiting" ? state.attempt : -1;
  };
  client.connect();
  for (let i = 1; i <= 5; i++) {
    goLive().closes(1006);
    t.equal(attempt(), i, "a node that accepts and closes at once is not hammered");
    await clock.advance(pause());
  }
  goLive();
  for (let i = 0; i < 4; i++) {
    await clock.advance(5000);
    last().receives([22, clock.now()]);
  }
  last().closes(1006);
  t.equal(attempt(), 1);
});

t.test("R-PRO-1: close codes say whether to come back", async (t) => {
  for (const code of [4001, 4002, 4003, 4004, 4005, 4006, 4007, 1001, 1006]) {
    const { client, goLive } = setup();
    client.connect();
    goLive().closes(code);
    t.equal(client.state.name, "waiting", `${code} comes back`);
  }
  for (const code of [4500, 4501, 4503, 4504, 4505, 4506]) {
    const { client, goLive, clock, made } = setup();
    client.connect();
    goLive().closes(code, "no");
    t.same(client.state, { name: "closed", code, reason: "no" });
    await clock.advance(3_600_000);
    t.equal(made.length, 1, `${code} stays away`);
    t.equal(clock.armed, 0, "nothing is left to wake up for");
    client.connect();
    t.equal(made.length, 2, "until the application connects again");
  }
});

t.test("R-PRO-3: a HELLO that a slow line brought too late, or lost, is said again", async (t) => {
  const { client, last, clock, made } = setup();
  client.connect();
  last().opens();
  last().closes(4502, "no HELLO in time");
  t.equal(client.state.name, "waiting", "the node did not hear it; that is no reason to stay away");
  await clock.advance(60_000);
  t.ok(made.length > 1);
});

t.test("R-PRO-3: a HELLO that a stalled line brings after that of the next socket ends no client", async (t) => {
  const { client, last, clock, goLive, made } = setup({ connectTimeoutMs: 5000 });
  client.connect();
  last().opens();
  await clock.advance(5000);
  client.wake();
  // The node hears the first HELLO now, takes it for the newer one, and closes the line that is alive.
  goLive().closes(4506, "this device has connected again");
  t.equal(client.state.name, "waiting", "it was this client itself that connected again");
  client.wake();
  t.equal(made.length, 3);
  goLive().closes(4506, "this device has connected again");
  t.equal(client.state.name, "closed", "one late HELLO explains one such word: this one is another's");
});

t.test("R-PRO-3: a client that its token provider closes stays closed", async (t) => {
  for (const answer of [
    () => "",
    () => {
      throw new Error("signed out");
    },
  ]) {
    const { client, clock, made } = setup({
      tokenProvider: () => {
        client.close();
        return answer();
      },
    });
    client.connect();
    t.equal(client.state.name, "closed");
    await clock.advance(3_600_000);
    t.equal(made.length, 0);
    t.equal(clock.armed, 0);
  }
});

t.test(
  "R-PRO-3: a page that thaws with several things overdue stays closed if it is closed over the first",
  async (t) => {
    const { client, clock, goLive, made } = setup();
    client.onState(({ name }) => name === "waiting" && client.close());
    client.connect();
    const socket = goLive();
    socket.receives([24, 4001, 40_000, 40_000]);
    clock.freeze(60_000);
    await clock.advance(0);
    t.equal(client.state.name, "closed");
    await clock.advance(3_600_000);
    t.equal(made.length, 1, "nothing opens behind the application's back");
  },
);

t.test("R-PRO-3: no WELCOME in time, or no token, counts as a loss", async (t) => {
  const silent = setup({ connectTimeoutMs: 5000 });
  silent.client.connect();
  silent.last().opens();
  await silent.clock.advance(5000);
  t.equal(silent.client.state.name, "waiting");
  t.notOk(silent.made[0]!.isOpen);
  silent.made[0]!.receives(WELCOME(0));
  t.equal(silent.client.state.name, "waiting", "an abandoned socket is not heard");

  let asked = 0;
  const tokenless = setup({
    tokenProvider: () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error("signed out")) : "second";
    },
  });
  tokenless.client.connect();
  await tokenless.clock.advance(0);
  t.equal(tokenless.client.state.name, "waiting");
  await tokenless.clock.advance(2000);
  tokenless.goLive();
  t.same(tokenless.last().sent[0], [1, "second", "device", "1.0.0"]);
});

t.test("R-PRO-3: a token that arrives after the attempt was given up opens nothing", async (t) => {
  const answers: ((token: string) => void)[] = [];
  const { client, clock, made, pause } = setup({
    connectTimeoutMs: 1000,
    tokenProvider: () => new Promise((resolve) => answers.push(resolve)),
  });
  client.connect();
  await clock.advance(1000);
  t.equal(client.state.name, "waiting");
  await clock.advance(pause());
  t.equal(client.state.name, "connecting");
  answers[0]!("late");
  await clock.advance(0);
  t.equal(made.length, 0);
  answers[1]!("in time");
  await clock.advance(0);
  t.equal(made.length, 1);
});

t.test("R-PRO-3: pings are answered, and a silent line is given up", async (t) => {
  const { client, clock, goLive } = setup();
  client.connect();
  const socket = goLive();
  for (let i = 0; i < 10; i++) {
    await clock.advance(20_000);
    socket.receives([22, i]);
    await clock.advance(0);
    t.same(socket.sent[socket.sent.length - 1], [8, i]);
  }
  t.equal(client.state.name, "live");
  await clock.advance(30_999);
  t.equal(client.state.name, "live");
  // Counted from the last word, wherever in a period it came.
  await clock.advance(2);
  t.equal(socket.closedWith, 1006, "without waiting for a handshake that will not come");
});

t.test("R-CLU-4: GOAWAY closes and comes back at a moment inside the window, one socket at a time", async (t) => {
  const moments = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const { client, clock, made, goLive, open } = setup({ random: seededRandom(seed) });
    client.connect();
    goLive().receives([24, 4001, 2000, 8000]);
    await clock.advance(1999);
    t.equal(client.state.name, "live", "stays until the window begins");
    let waited = 1999;
    while (made.length === 1 && waited < 9000) {
      await clock.advance(10);
      waited += 10;
    }
    t.ok(waited <= 8010, "inside the window");
    t.equal(open(), 1, "the old socket is closed before the new one is opened");
    moments.add(waited);
  }
  t.ok(moments.size > 10, "twenty clients come back at many moments");
});

t.test("R-CLU-4: a node that closes before the chosen moment does not hurry its clients back", async (t) => {
  const { client, clock, made, goLive, states } = setup();
  client.connect();
  const socket = goLive();
  socket.receives([24, 4001, 5000, 5000]);
  await clock.advance(1000);
  socket.closes(4001);
  const state = states[states.length - 1]!;
  t.equal(state.name === "waiting" && state.retryInMs, 4000);
  await clock.advance(4000);
  t.equal(made.length, 2);
});

t.test("R-ACC-2: TOKEN_EXPIRING is answered with REFRESH; a refused token is not offered again", async (t) => {
  const reasons: string[] = [];
  const { client, clock, goLive } = setup({
    tokenProvider: (reason) => {
      reasons.push(reason);
      return `token-${reasons.length}`;
    },
  });
  client.connect();
  const socket = goLive();
  socket.receives([25, 60_000]);
  await clock.advance(0);
  t.same(socket.sent[1], [7, 0, "token-2"]);
  socket.closes(4005);
  await clock.advance(2000);
  t.same(reasons, ["connect", "refresh", "refresh"]);
});

t.test("R-PRO-3: wake ends a pause, close ends everything", async (t) => {
  const { client, clock, goLive, made } = setup({ backoffBaseMs: 60_000, backoffMaxMs: 60_000 });
  client.connect();
  goLive().closes(1006);
  t.equal(client.state.name, "waiting");
  client.wake();
  t.equal(client.state.name, "connecting");
  goLive();
  client.close();
  t.equal(client.state.name, "closed");
  t.equal(made[1]!.closedWith, 1000);
  await clock.advance(1_000_000);
  t.equal(made.length, 2);
  t.equal(clock.armed, 0);
});

t.test("R-PRO-1: a message that is no frame closes for good with 4501", async (t) => {
  const { client, goLive } = setup();
  client.connect();
  const socket = goLive();
  socket.onmessage?.({ data: new Uint8Array([0xc1]).buffer });
  t.same(client.state.name, "closed");
  t.equal(socket.closedWith, 4501);
});

t.test("R-PRO-3: frames of one turn leave as one batch, no larger than the node accepts", async (t) => {
  const { client, clock, goLive } = setup();
  client.connect();
  const socket = goLive();
  const messages: number[] = [];
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    messages.push((data as Uint8Array).byteLength);
    send(data);
  };
  for (let i = 0; i < 30; i++) {
    const reason = "x".repeat(1500);
    client.command("order.cancel", { orderId: `order-${i}`, reason }).catch(() => {});
  }
  await clock.advance(0);
  t.equal(socket.sent.length, 31, "all arrived");
  t.ok(messages.length < 10, `in ${messages.length} messages`);
  t.ok(Math.max(...messages) <= 16_384);
  client.close();
});

t.test("R-PRO-3: a client arms one timer, whatever it is doing", async (t) => {
  const { client, clock, goLive } = setup();
  client.connect();
  goLive();
  for (let i = 0; i < 100; i++) {
    client.subscribe(`order:${i}`, {});
    client.command("order.cancel", { orderId: `order-${i}`, reason: "" }).catch(() => {});
    await clock.advance(10);
  }
  t.equal(clock.mostTimers, 1);
  client.close();
});

const THREE = ["http://a.test/", "ws://b.test", "http://c.test"];
const hostOf = (socket: ScriptedSocket): string => new URL(socket.url).hostname;

t.test("R-PRO-3: of several addresses each loss leads to the next, all around, with the usual pauses", async (t) => {
  const { client, clock, made, last, pause } = setup({ url: THREE, backoffBaseMs: 100 });
  client.connect();
  for (let i = 0; i < 6; i++) {
    last().closes(1006);
    t.ok(pause() <= 100 * 2 ** i, "the pause is that of one address");
    await clock.advance(pause());
  }
  const hosts = made.map(hostOf);
  t.equal(new Set(hosts.slice(0, 3)).size, 3, "three losses, three nodes");
  t.same(hosts.slice(3, 6), hosts.slice(0, 3), "then the first again");
  t.equal(new URL(client.address).hostname, hosts[6]);
});

t.test("R-PRO-3: clients of one cluster begin at different nodes", async (t) => {
  const first = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { client, last } = setup({ url: THREE, random: seededRandom(seed) });
    client.connect();
    first.add(hostOf(last()));
    client.close();
  }
  t.same([...first].sort(), ["a.test", "b.test", "c.test"]);
});

t.test("R-CLU-4: GOAWAY leads to another node inside the window, also when the node closes before", async (t) => {
  const { client, clock, made, goLive, last, open } = setup({ url: THREE });
  client.connect();
  goLive().receives([24, 4001, 2000, 3000]);
  await clock.advance(1999);
  t.equal(made.length, 1, "stays until the window begins");
  await clock.advance(1001);
  t.equal(made.length, 2);
  t.not(hostOf(last()), hostOf(made[0]!));
  t.equal(open(), 1);
  goLive().receives([24, 4001, 5000, 5000]);
  await clock.advance(1000);
  last().closes(4001);
  await clock.advance(3999);
  t.equal(made.length, 2, "the window holds elsewhere too");
  await clock.advance(1);
  t.equal(made.length, 3);
  t.equal(new Set(made.map(hostOf)).size, 3, "each time another node");
});

t.test("R-PRO-3: a node that does not answer is left, one that was never asked is not", async (t) => {
  const silent = setup({ url: THREE, connectTimeoutMs: 5000 });
  silent.client.connect();
  silent.last().opens();
  await silent.clock.advance(5000);
  await silent.clock.advance(silent.pause());
  t.equal(silent.made.length, 2);
  t.not(hostOf(silent.made[1]!), hostOf(silent.made[0]!));

  const tokenless = setup({ url: THREE, tokenProvider: () => Promise.reject(new Error("signed out")) });
  tokenless.client.connect();
  const before = tokenless.client.address;
  await tokenless.clock.advance(0);
  t.equal(tokenless.client.state.name, "waiting");
  t.equal(tokenless.client.address, before, "it is not the node that had no token");
});

t.test("R-PRO-3: who was too slow, too fast or too late comes back to the same node", async (t) => {
  for (const code of [4003, 4004, 4005, 4006]) {
    const { client, clock, made, goLive, pause } = setup({ url: THREE });
    client.connect();
    goLive().closes(code);
    await clock.advance(pause());
    t.equal(made.length, 2);
    t.equal(made[1]!.url, made[0]!.url, `${code}`);
  }
});

t.test("a client without an address says so", async (t) => {
  t.throws(() => createClient({ url: [], token: "token" }), /at least one url/);
});
