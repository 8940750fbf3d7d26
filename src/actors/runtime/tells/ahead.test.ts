import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor } from "../definition.js";
import type { HostSettings } from "../host/settings.js";
import { shardOf } from "../shard.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

/** How an answer comes: at once by a cast, kept by a tell, or as a word that changes nothing, with an output or without. */
type Kind = "cast" | "tell" | "later" | "silent";
type DeskContract = {
  book: { input: { room: string; answer: Kind }; reply: { booked: number } };
  say: { input: { room: string; what: string }; reply: null };
  yes: { input: { room: string }; reply: null };
  later: { input: { silent: boolean }; reply: null };
  closed: { input: { room: string }; reply: null };
};
type RoomContract = {
  want: { input: { desk: string; answer: Kind }; reply: null };
  hear: { input: { what: string }; reply: null };
  close: { input: { desk: string }; reply: null };
  tidy: { input: null; reply: null };
  heard: { input: null; reply: readonly string[] };
};
const DeskRef = actorRef<DeskContract>("desk");
const RoomRef = actorRef<RoomContract>("room");

const WITHIN_MS = 250;
const AWAITED = { withinMs: WITHIN_MS, by: ["yes", "later"] };

const Desk = defineActor<DeskContract, { booked: number; answered: readonly string[] }>({
  ref: DeskRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ booked: 0, answered: [] }),
  commands: {
    book(ctx, { room, answer }) {
      ctx.become({ ...ctx.state, booked: ctx.state.booked + 1 });
      ctx.tellAhead(AWAITED, RoomRef, room, "want", { desk: ctx.key, answer });
      return { booked: ctx.state.booked };
    },
    say(ctx, { room, what }) {
      ctx.tell(RoomRef, room, "hear", { what });
      return null;
    },
    yes(ctx, { room }) {
      if (!ctx.state.answered.includes(room)) ctx.become({ ...ctx.state, answered: [...ctx.state.answered, room] });
      return null;
    },
    later(ctx, { silent }) {
      if (!silent) ctx.mirror(`put off:${ctx.key}`, ctx.state.booked, 1_000);
      return null;
    },
    closed(ctx, { room }) {
      ctx.become({ ...ctx.state, answered: [...ctx.state.answered, `${room} closes`] });
      return null;
    },
  },
});

const Room = defineActor<RoomContract, { heard: readonly string[] }, { casts: number }>({
  ref: RoomRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ heard: [] }),
  volatile: () => ({ casts: 0 }),
  volatileCommands: ["heard"],
  commands: {
    want(ctx, { desk, answer }) {
      const { source } = ctx.command;
      if (source === "cast") ctx.volatile.casts++;
      if (source === "tell" || answer === "tell") {
        ctx.become({ heard: [...ctx.state.heard, `${source} of ${desk}`] });
        ctx.tell(DeskRef, desk, "yes", { room: ctx.key });
      } else if (answer === "cast") ctx.castAhead(DeskRef, desk, "yes", { room: ctx.key });
      else ctx.castAhead(DeskRef, desk, "later", { silent: answer === "silent" });
      return null;
    },
    hear(ctx, { what }) {
      ctx.become({ heard: [...ctx.state.heard, what] });
      return null;
    },
    close(ctx, { desk }) {
      ctx.tell(DeskRef, desk, "closed", { room: ctx.key });
      return null;
    },
    tidy(ctx) {
      ctx.become({ heard: [...ctx.state.heard, "tidied"] });
      ctx.mayWait(WITHIN_MS);
      return null;
    },
    heard: (ctx) => [...ctx.state.heard, `${ctx.volatile.casts} ahead`],
  },
});

type CleanerContract = { clean: { input: { room: string }; reply: null } };
const CleanerRef = actorRef<CleanerContract>("cleaner");
const Cleaner = defineActor<CleanerContract, null>({
  ref: CleanerRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => null,
  commands: {
    clean(ctx, { room }) {
      ctx.tell(RoomRef, room, "tidy", null);
      return null;
    },
  },
});

const kitOf = (hosts = 1, settings: Partial<HostSettings> = {}): TestKit =>
  createTestKit({
    definitions: [Desk, Room, Cleaner],
    hosts,
    settings: { lanes: 2, ...settings },
    store: (clock) => createMemoryActorStore({ clock, latencyMs: 5 }),
  });
/** A room at another host than desk `d`. */
async function roomElsewhere(kit: TestKit): Promise<string> {
  // The first message starts the hosts.
  await kit.must(RoomRef, "r0", "heard", null);
  const hostOf = (kind: string, key: string) => kit.cluster.shardMap.ownerOf(shardOf({ kind, key }));
  const found = Array.from({ length: 20 }, (_, i) => `r${i}`).find(
    (key) => hostOf("room", key) !== hostOf("desk", "d"),
  );
  if (found === undefined) throw new Error("all rooms are at the desk's host");
  return found;
}
const commitsOf = (kit: TestKit, kind: string) => kit.store.committed.filter((write) => write.kind === kind);
const tellsOf = (kit: TestKit, kind: string): number => commitsOf(kit, kind).flatMap(({ tells }) => tells).length;

t.test("R-ENG-3: told ahead and answered: one commit, and nothing of the question is kept", async (t) => {
  const kit = kitOf();
  t.same(await kit.must(DeskRef, "d", "book", { room: "r", answer: "cast" }), { booked: 1 });
  const [write, ...more] = commitsOf(kit, "desk");
  t.equal(write?.seq, 2, "both runs");
  t.same(more, []);
  t.same([tellsOf(kit, "desk"), commitsOf(kit, "room").length], [0, 0]);
  t.same(await kit.must(RoomRef, "r", "heard", null), ["1 ahead"]);

  t.same(await kit.must(DeskRef, "d", "book", { room: "q", answer: "tell" }), { booked: 2 });
  await kit.advance(1_000);
  t.same([commitsOf(kit, "desk").length, tellsOf(kit, "desk")], [2, 0]);
  t.same(await kit.must(RoomRef, "q", "heard", null), ["cast of d", "1 ahead"], "and it is not told again");
  t.same(kit.deadLetters, []);
  await kit.close();
});

t.test("R-ENG-3: told ahead and lost: kept after a while, and told like any other", async (t) => {
  const kit = kitOf(2);
  const room = await roomElsewhere(kit);
  kit.linkFault = (_from, _to, message) => (message.t === "cast" ? "drop" : null);
  const startedAt = kit.clock.now();
  t.same(await kit.must(DeskRef, "d", "book", { room, answer: "cast" }), { booked: 1 });
  t.ok(kit.clock.now() - startedAt >= WITHIN_MS, "it has waited");
  t.equal(tellsOf(kit, "desk"), 1);
  await kit.advance(100);
  t.same(await kit.must(RoomRef, room, "heard", null), ["tell of d", "0 ahead"]);
  await kit.close();
});

t.test("R-ENG-3: what another says meanwhile is no answer: the question is kept with it", async (t) => {
  const kit = kitOf(2);
  const room = await roomElsewhere(kit);
  kit.linkFault = (_from, _to, message) => (message.t === "cast" ? "drop" : null);
  const asked = kit.send(DeskRef, "d", "book", { room, answer: "cast" });
  await kit.must(RoomRef, "other", "want", { desk: "d", answer: "tell" });
  await kit.run(() => asked);
  await kit.advance(1_000);
  t.equal(tellsOf(kit, "desk"), 1);
  t.same(await kit.must(RoomRef, room, "heard", null), ["tell of d", "0 ahead"]);
  await kit.close();
});

t.test("R-ENG-3: what its receiver says of something else crosses the question and does not answer it", async (t) => {
  const kit = kitOf(2);
  const room = await roomElsewhere(kit);
  kit.linkFault = (_from, _to, message) => (message.t === "cast" ? "drop" : null);
  const asked = kit.send(DeskRef, "d", "book", { room, answer: "cast" });
  await kit.must(RoomRef, room, "close", { desk: "d" });
  await kit.run(() => asked);
  await kit.advance(1_000);
  const kept = await kit.run(() => kit.stored<{ answered: string[] }>("desk", "d"));
  t.same(kept?.state.answered, [`${room} closes`, room]);
  t.equal(commitsOf(kit, "desk")[0]?.seq, 2, "what it said went into the commit of the question");
  t.equal(tellsOf(kit, "desk"), 1);
  t.same(await kit.must(RoomRef, room, "heard", null), ["tell of d", "0 ahead"]);
  await kit.close();
});

t.test("R-ENG-3: an answer that changes nothing ends the waiting, and the question is kept", async (t) => {
  for (const answer of ["later", "silent"] as const) {
    const kit = kitOf();
    const startedAt = kit.clock.now();
    await kit.must(DeskRef, "d", "book", { room: "r", answer });
    t.ok(kit.clock.now() - startedAt < WITHIN_MS, "it has not waited for its time to pass");
    t.equal(tellsOf(kit, "desk"), 1);
    await kit.advance(100);
    t.same(await kit.must(RoomRef, "r", "heard", null), ["tell of d", "1 ahead"]);
    await kit.close();
  }
});

t.test("rule 11: what is told ahead overtakes nothing that was told before", async (t) => {
  const kit = kitOf();
  await kit.run(() =>
    Promise.all([
      kit.send(DeskRef, "d", "say", { room: "r", what: "first" }),
      kit.send(DeskRef, "d", "book", { room: "r", answer: "tell" }),
    ]),
  );
  await kit.advance(1_000);
  t.same(await kit.must(RoomRef, "r", "heard", null), ["first", "tell of d", "0 ahead"]);
  await kit.close();

  // Nor what is kept, and on its way, or not even in memory again after a crash.
  const far = kitOf(2);
  const room = await roomElsewhere(far);
  far.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  await far.must(DeskRef, "d", "say", { room, what: "first" });
  await far.must(DeskRef, "d", "book", { room, answer: "tell" });
  t.same(await far.must(RoomRef, room, "heard", null), ["0 ahead"]);
  await far.crash();
  far.store.decide = ({ operation }) => (operation === "pendingTells" ? { delayMs: 1_000 } : null);
  far.linkFault = () => null;
  const asked = far.send(DeskRef, "d", "book", { room, answer: "tell" });
  await far.restart();
  await far.run(() => asked);
  await far.advance(3_000);
  t.same(await far.must(RoomRef, room, "heard", null), ["first", "tell of d", "tell of d", "0 ahead"]);
  await far.close();
});

t.test("rule 11: what is told ahead waits for rows of its shard that are not in memory", async (t) => {
  // One row fills the memory: what is told after it stays in the store until there is room.
  const kit = kitOf(2, { outboxInMemory: 1 });
  const room = await roomElsewhere(kit);
  const hostOf = (key: string) => kit.cluster.shardMap.ownerOf(shardOf({ kind: "desk", key }));
  const neighbour = Array.from({ length: 20 }, (_, i) => `n${i}`).find((key) => hostOf(key) === hostOf("d")) ?? "";
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  await kit.must(DeskRef, neighbour, "say", { room, what: "in the way" });
  await kit.must(DeskRef, "d", "say", { room, what: "first" });
  await kit.must(DeskRef, "d", "book", { room, answer: "tell" });
  t.same(await kit.must(RoomRef, room, "heard", null), ["0 ahead"]);
  kit.linkFault = () => null;
  await kit.advance(5_000);
  t.same(await kit.must(RoomRef, room, "heard", null), ["in the way", "first", "tell of d", "0 ahead"]);
  await kit.close();
});

t.test("R-ENG-3: who asked ahead and crashed has forgotten it; the answer finds an actor that bears it", async (t) => {
  const kit = kitOf();
  kit.store.decide = (call) => (call.batch?.actors.some(({ kind }) => kind === "desk") ? { delayMs: 10_000 } : null);
  const asked = kit.send(DeskRef, "d", "book", { room: "r", answer: "tell" });
  await kit.advance(100);
  t.equal(commitsOf(kit, "room").length, 1, "heard before the asker has committed");
  await kit.crash();
  kit.store.heal();
  await kit.restart();
  await kit.advance(5_000);
  t.same(await kit.run(() => asked), { ok: true, value: { booked: 1 } }, "asked again, of an actor that knew nothing");
  t.same(await kit.must(RoomRef, "r", "heard", null), ["cast of d", "cast of d", "1 ahead"]);
  t.same(kit.deadLetters, []);
  await kit.close();
});

t.test("R-ENG-3: an answer ahead does not wait for what is put off, but for everything else", async (t) => {
  const kit = kitOf();
  await kit.must(CleanerRef, "c", "clean", { room: "r" });
  await kit.advance(20);
  t.equal(commitsOf(kit, "room").length, 0, "put off");
  await kit.must(DeskRef, "d", "book", { room: "r", answer: "cast" });
  t.equal(commitsOf(kit, "room").length, 0, "still put off");
  t.equal(tellsOf(kit, "desk"), 0, "answered ahead");

  kit.store.decide = (call) => (call.batch?.actors.some(({ kind }) => kind === "room") ? { delayMs: 400 } : null);
  await kit.run(() =>
    Promise.all([
      kit.send(RoomRef, "r", "hear", { what: "a price" }),
      kit.send(DeskRef, "e", "book", { room: "r", answer: "cast" }),
    ]),
  );
  t.equal(tellsOf(kit, "desk"), 1, "what it saw was kept too late");
  await kit.close();
});
