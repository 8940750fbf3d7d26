import t from "tap";
import type { ChatLine, RoomSnapshot, RoomView } from "../../../protocol/mod.js";
import { MOST_CHAT_CHARACTERS } from "../../../protocol/mod.js";
import type { AskResult } from "../../runtime/client.js";
import type { Caller, CommandName, Input, Reply } from "../../runtime/definition.js";
import { type City, codeOf, createCity, customer, driver, must } from "../fixtures/city.js";
import { ChatRoom, type ChatRoomContract } from "../mod.js";

const ROOM = "support:c";
const agent = (id: string): Caller => ({ id, role: "support" });
const carol = customer("c");
const ann = agent("ann");
const ben = agent("ben");
const admin: Caller = { id: "boss", role: "admin" };

function roomOf(city: City, roomId = ROOM) {
  const ask = <N extends CommandName<ChatRoomContract>>(
    name: N,
    input: Input<ChatRoomContract, N>,
    caller: Caller,
    commandId?: string,
  ): Promise<AskResult<Reply<ChatRoomContract, N>>> =>
    city.kit.ask(ChatRoom, roomId, name, input, { caller, ...(commandId === undefined ? {} : { commandId }) });
  let messages = 0;
  return {
    ask,
    say: (caller: Caller, text: string, commandId?: string) =>
      ask("say", { roomId, messageId: `m${++messages}`, text }, caller, commandId),
    look: (caller: Caller) => must(ask("look", null, caller)),
    listen: (caller: Caller, from: { epoch: number; offset: number } | null = null) =>
      city.kit.subscribe({ kind: "chat-room", key: roomId, channel: "talk" }, caller, from),
    watch: (caller: Caller) => city.kit.subscribe({ kind: "chat-room", key: roomId, channel: "state" }, caller),
  };
}
async function opened(): Promise<{ readonly city: City; readonly room: ReturnType<typeof roomOf> }> {
  const city = createCity();
  const room = roomOf(city);
  await must(room.ask("openSupport", { orderId: null }, carol));
  return { city, room };
}
const told = (lines: readonly { readonly type: string; readonly body: unknown }[]): string[] =>
  (lines as readonly ChatLine[]).map((line) =>
    line.type === "chat.message" ? line.body.text : `(${line.body.notice})`,
  );
const snapshotOf = (heard: { latest(): Record<string, unknown> }) => heard.latest().snapshot as RoomSnapshot;

t.test("R-COM-1: lines have one order, are heard once, and survive a crash and a return in the middle", async (t) => {
  const { city, room } = await opened();
  const { kit } = city;
  const heard = await room.listen(carol);
  t.equal((await must(room.say(carol, "hello", "once"))).offset, 1);
  t.equal((await must(room.say(carol, "hello", "once"))).offset, 1, "the same command says nothing twice");
  await must(room.ask("claim", { roomId: ROOM }, ann));
  const at = { epoch: heard.starts[0]!.epoch, offset: heard.events.at(-1)!.offset };
  heard.close();
  await must(room.say(ann, "good day"));
  await kit.crash();
  await kit.restart();
  await must(room.say(carol, "my soup is cold"));
  t.equal((await must(room.say(carol, "hello", "once"))).offset, 1, "not even after a crash");
  const again = await room.listen(carol, at);
  t.equal(again.starts[0]?.recovered, true);
  t.same(told(again.events), ["good day", "my soup is cold"]);
  const fresh = await room.listen(ann);
  t.same(told(snapshotOf(fresh).lines), ["hello", "(claimed)", "good day", "my soup is cold"]);
  t.same(
    snapshotOf(fresh).lines.map(({ offset }) => offset),
    [1, 2, 3, 4],
  );
  await kit.close();
});

t.test("R-COM-1: what is older than a room keeps in memory stays in the history, in order and whole", async (t) => {
  const { city, room } = await opened();
  const { kit } = city;
  const longest = "ö".repeat(MOST_CHAT_CHARACTERS);
  for (let i = 1; i <= 200; i++) await must(room.say(carol, i > 180 ? longest : `line ${i}`));
  const history = city.history();
  const all = await history.before(ROOM, 1_000, 500);
  t.same(
    all.map(({ offset }) => offset),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  t.same(told(await history.before(ROOM, 4, 2)), ["line 2", "line 3"]);
  const fresh = await room.listen(carol);
  const { lines } = snapshotOf(fresh);
  t.equal(lines.at(-1)?.offset, 200);
  t.ok(lines.length > 1 && JSON.stringify(lines).length < 128 * 1024, "a snapshot leaves room in a socket's queue");
  const late = await room.listen(carol, { epoch: 1, offset: 5 });
  t.equal(late.starts[0]?.recovered, false, "whoever comes back from so long ago starts from the newest");
  await kit.close();
});

t.test(
  "R-COM-1, R-ACC-3: only the customer and the agents are in a support room; to others there is none",
  async (t) => {
    const { city, room } = await opened();
    const strangers = [customer("mallory"), driver("c"), { id: "c", role: "restaurant" }];
    for (const stranger of strangers) {
      const name = `${stranger.role} ${stranger.id}`;
      t.equal(await codeOf(room.say(stranger, "hi")), "not_found", name);
      t.equal(await codeOf(room.ask("read", { roomId: ROOM, offset: 1 }, stranger)), "not_found", name);
      t.equal(await codeOf(room.ask("typing", { roomId: ROOM }, stranger)), "not_found", name);
      t.equal(await codeOf(room.ask("resolve", { roomId: ROOM }, stranger)), "not_found", name);
      t.equal(await codeOf(room.ask("look", null, stranger)), "not_found", name);
      t.equal((await room.listen(stranger)).ended?.code, "not_found", name);
      t.equal((await room.watch(stranger)).ended?.code, "not_found", name);
      t.equal(await codeOf(room.ask("openSupport", { orderId: null }, stranger)), "not_found", name);
    }
    t.equal(await codeOf(room.ask("claim", { roomId: ROOM }, carol)), "not_found", "a customer claims nothing");
    const nobodys = roomOf(city, "support:nobody");
    t.equal(await codeOf(nobodys.say(ann, "hi")), "not_found");
    t.match(await codeOf(room.say(carol, "  \n ")), "invalid", "nothing said, nothing attached");
    await city.kit.close();
  },
);

t.test("R-COM-1: of two agents who claim at once one gets it; only that one answers", async (t) => {
  const { city, room } = await opened();
  await must(room.say(carol, "help"));
  t.equal(await codeOf(room.say(ann, "yes?")), "not_claimed");
  const answers = await Promise.all([
    room.ask("claim", { roomId: ROOM }, ann),
    room.ask("claim", { roomId: ROOM }, ben),
  ]);
  t.equal(answers.filter(({ ok }) => ok).length, 1);
  const [winner, loser] = answers[0]!.ok ? [ann, ben] : [ben, ann];
  const refused = answers.find(({ ok }) => !ok);
  t.match(refused, { error: { code: "claimed_by_other", temporary: false, detail: { agentId: winner.id } } });
  await must(room.ask("claim", { roomId: ROOM }, winner));
  t.equal(await codeOf(room.say(loser, "me too")), "claimed_by_other");
  t.equal(await codeOf(room.ask("transfer", { roomId: ROOM, agentId: loser.id }, loser)), "claimed_by_other");
  t.equal(await codeOf(room.ask("resolve", { roomId: ROOM }, loser)), "claimed_by_other");
  await must(room.say(winner, "here I am"));
  await must(room.ask("transfer", { roomId: ROOM, agentId: loser.id }, winner));
  t.equal(await codeOf(room.say(winner, "and")), "claimed_by_other");
  await must(room.say(loser, "I go on"));
  await must(room.ask("transfer", { roomId: ROOM }, admin));
  t.match(await room.look(carol), { status: "waiting", waitingSince: Number });
  await must(room.ask("claim", { roomId: ROOM }, winner));
  await must(room.ask("resolve", { roomId: ROOM }, winner));
  t.equal(await codeOf(room.say(winner, "still there?")), "not_claimed");
  await must(room.say(carol, "one more thing"));
  t.match(await room.look(ann), { status: "waiting", excerpt: "one more thing" }, "the customer's word brings it back");
  await must(room.ask("resolve", { roomId: ROOM }, carol));
  await must(room.ask("reopen", { roomId: ROOM }, ben));
  t.match(await room.look(ann), { status: "assigned", agentId: "ben" });
  const notices = told(snapshotOf(await room.listen(carol)).lines).filter((text) => text.startsWith("("));
  t.same(notices, [
    "(claimed)",
    "(transferred)",
    "(returned)",
    "(claimed)",
    "(resolved)",
    "(reopened)",
    "(resolved)",
    "(reopened)",
  ]);
  await city.kit.close();
});

t.test("R-COM-1: receipts rise and never fall; typing is told now and then and forgotten", async (t) => {
  const { city, room } = await opened();
  const { kit } = city;
  const state = await room.watch(carol);
  for (const text of ["a", "b", "c"]) await must(room.say(carol, text));
  await must(room.ask("claim", { roomId: ROOM }, ann));
  await must(room.ask("read", { roomId: ROOM, offset: 3 }, ann));
  await must(room.ask("read", { roomId: ROOM, offset: 2 }, ann));
  t.same(await must(room.ask("read", { roomId: ROOM, offset: 900 }, ann)), { offset: 4 }, "no further than there is");
  t.same(await must(room.ask("read", { roomId: ROOM, offset: 4 }, ben)), { offset: 4 });
  await kit.advance(50);
  t.match(state.latest().room, { reads: { customer: 3, support: 4 }, top: 4 });
  const commits = kit.store.committed.length;
  const writes = [
    await must(room.ask("typing", { roomId: ROOM }, ann)),
    await must(room.ask("typing", { roomId: ROOM }, ann)),
  ];
  t.same(writes, [{ shown: true }, { shown: false }]);
  await kit.advance(city.settings.chat.typingMs / 2);
  t.same(await must(room.ask("typing", { roomId: ROOM }, ann)), { shown: true });
  t.equal(await codeOf(room.ask("typing", { roomId: ROOM }, ben)), "claimed_by_other");
  t.equal(kit.store.committed.length, commits, "nothing of it is written");
  const shown = state.slots.filter(({ slot }) => slot === "typing.support");
  t.match(shown, [{ ttlMs: city.settings.chat.typingMs }, { ttlMs: city.settings.chat.typingMs }]);
  await must(room.say(ann, "there"));
  await kit.advance(50);
  t.equal(state.slots.filter(({ slot }) => slot === "typing.support").at(-1)?.ttlMs, 0, "what was written is said");
  await kit.close();
});

t.test("R-COM-1: agents see who waits, those longest first; live, in the index, and after a crash", async (t) => {
  const city = createCity();
  const { kit } = city;
  const rooms = new Map(["c1", "c2", "c3"].map((id) => [id, roomOf(city, `support:${id}`)]));
  const queue = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, ann);
  const waiting = async (): Promise<string[]> => {
    const from = { at: 0, key: "" };
    const scope = "support/waiting";
    const rows = await kit.store.inner.queryIndex({ kind: "chat-room", scope, live: true, from, limit: 10 });
    return rows.map(({ key }) => key);
  };
  const live = (heard: typeof queue): Record<string, string> =>
    Object.fromEntries(
      Object.entries(heard.latest() as Record<string, RoomView | null>).flatMap(([id, view]) =>
        view === null ? [] : [[id, view.status]],
      ),
    );
  for (const [id, room] of rooms) {
    await must(room.ask("openSupport", { orderId: null }, customer(id)));
    t.same((await waiting()).includes(`support:${id}`), false, "an empty room bothers nobody");
    await must(room.say(customer(id), `I am ${id}`));
    await kit.advance(1_000);
  }
  t.same(await waiting(), ["support:c1", "support:c2", "support:c3"]);
  t.same(live(queue), { "support:c1": "waiting", "support:c2": "waiting", "support:c3": "waiting" });
  await must(rooms.get("c2")!.ask("claim", { roomId: "support:c2" }, ann));
  await must(rooms.get("c1")!.ask("resolve", { roomId: "support:c1" }, customer("c1")));
  await kit.advance(50);
  t.same(await waiting(), ["support:c3"]);
  t.same(live(queue), { "support:c2": "assigned", "support:c3": "waiting" });
  await kit.crash();
  await kit.restart();
  const again = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, ben);
  t.same(live(again), { "support:c2": "assigned", "support:c3": "waiting" }, "read from the index");
  const stranger = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, carol);
  t.equal(stranger.ended?.code, "not_found");
  await kit.close();
});

t.test("R-ACC-3: a person who is forgotten leaves no word behind, once nobody may still answer", async (t) => {
  const { city, room } = await opened();
  const { kit } = city;
  const forget = (personId: string) => room.ask("forgetPerson", { personId }, { id: personId, role: "accounts" });
  await must(room.say(carol, "my address is Elm Street 5"));
  t.equal(await codeOf(forget("c")), "illegal_transition");
  t.equal(await codeOf(forget("mallory")), "not_found");
  await must(room.ask("resolve", { roomId: ROOM }, carol));
  await must(forget("c"));
  t.same(await city.history().before(ROOM, 100, 100), []);
  const [row] = await kit.store.inner.queryIndex({ kind: "chat-room", keys: [ROOM], limit: 1 });
  t.notMatch(JSON.stringify(row), /Elm/);
  t.notMatch(JSON.stringify(snapshotOf(await room.listen(ann))), /Elm/);
  const late = await room.listen(ann, { epoch: 1, offset: 0 });
  t.notMatch(JSON.stringify(late.events), /Elm/);
  await kit.close();
});

t.test(
  "R-COM-1, rule 15: a room that moves between nodes while it is full of talk loses no line and repeats none",
  async (t) => {
    const city = createCity({ hosts: 2 });
    const { kit } = city;
    const room = roomOf(city);
    await must(room.ask("openSupport", { orderId: null }, carol));
    await must(room.ask("claim", { roomId: ROOM }, ann));
    const heard = [await room.listen(carol), await room.listen(ann)];
    const first = heard[0]!.starts[0]!.top;
    const saying: Promise<AskResult<unknown>>[] = [];
    for (let round = 0; round < 20; round++) {
      for (const [who, caller] of [
        ["carol", carol],
        ["ann", ann],
      ] as const) {
        const input = { roomId: ROOM, messageId: `${who}-${round}`, text: `${who} ${round}` };
        saying.push(kit.send(ChatRoom, ROOM, "say", input, { caller, timeoutMs: 60_000 }));
      }
      await kit.advance(3);
      if (round === 4) await kit.moveAll(0, 1);
      if (round === 9) await kit.moveAll(1, 0);
      if (round === 14) {
        await kit.crash(0);
        await kit.takeOver(0, 1);
      }
    }
    const answers = await kit.run(() => Promise.all(saying));
    // What was in flight at a dead node is said again by whoever said it, under the same id.
    for (const [i, answer] of answers.entries()) if (!answer.ok) t.ok(answer.error.temporary, `${i} may be said again`);
    await kit.advance(5_000);
    const lines = await city.history().before(ROOM, 1_000, 1_000);
    t.same(
      lines.map(({ offset }) => offset),
      lines.map((_, i) => i + 1),
      "no hole",
    );
    for (const { events } of heard) {
      t.same(told(events), told(lines.slice(first)), "everybody heard every line once, in one order");
    }
    t.equal(new Set(told(lines)).size, lines.length, "nothing twice");
    t.ok(lines.length >= first + answers.filter(({ ok }) => ok).length);
    await kit.close();
  },
);

t.test(
  "R-COM-1, R-BEN-1: a word in a conversation that goes on is one commit, and agents see it without another",
  async (t) => {
    const { city, room } = await opened();
    const { kit } = city;
    await must(room.say(carol, "hello"));
    const queue = await kit.subscribe({ kind: "chat-queue", key: "all", channel: "rooms" }, ann);
    await kit.advance(1_000);
    const before = { commits: kit.store.committed.length, calls: kit.store.calls };
    for (const text of ["one", "two", "three"]) {
      await must(room.say(carol, text));
      await kit.advance(100);
    }
    t.equal(kit.store.committed.length - before.commits, 3);
    t.equal(kit.store.calls - before.calls, 3, "nothing was kept for the queue, and nothing taken away again");
    t.match(queue.latest()[ROOM], { excerpt: "three", top: 4 });
    await must(room.ask("claim", { roomId: ROOM }, ann));
    const kept = kit.store.committed.filter(({ kind }) => kind === "chat-room").map(({ tells }) => tells.length);
    t.same(kept, [1, 1, 0, 0, 0, 1], "that it was opened, that it waits and who has it cannot be lost on the way");
    await kit.close();
  },
);
