import fc from "fast-check";
import t, { type Test } from "tap";
import { type Clock, sleep, systemClock } from "../lib/clock.js";
import { recordingLog, silentLog } from "../lib/log.js";
import { type Random, randomInteger, seededRandom } from "../lib/random.js";
import { batch, bytes, write } from "../store/contract/batches.js";
import { createMemoryActorStore, type MemoryActorStore } from "../store/memory/mod.js";
import { createMemoryEventStream, type MemoryEventStream } from "./memory/mod.js";
import { type EventOutbox, EventRefused, type EventStream, type OutboxEvent } from "./ports.js";
import { createEventRelay, type EventRelay, type EventRelayOptions } from "./relay.js";

const clock: Clock = systemClock();
const SHARDS = [0, 1, 2, 3];
const QUICK = { pollMs: 5, pauseMs: { first: 1, most: 10 }, refusedPauseMs: 10, lagMs: 20 };

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = clock.monotonic() + 60_000;
  while (!(await holds())) {
    if (clock.monotonic() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(clock, 2);
  }
}

/** A store whose shards are owned, so that actors can be given events. */
class Source {
  readonly store: MemoryActorStore = createMemoryActorStore({ clock });
  readonly outbox: EventOutbox = this.store.eventOutbox();
  readonly #actors = new Map<string, { seq: number; offset: number }>();
  #epochs: ReadonlyMap<number, number> | null = null;

  /** Commits `count` further events of the actor, in one flush. */
  async add(key: string, count: number): Promise<void> {
    this.#epochs ??= await this.store.claimShards("node", SHARDS);
    const actor = this.#actors.get(key) ?? { seq: 0, offset: 0 };
    this.#actors.set(key, actor);
    const events = Array.from({ length: count }, () => ({
      offset: ++actor.offset,
      type: "order.changed",
      at: clock.now(),
      body: bytes({ key }),
    }));
    const shard = SHARDS[key.charCodeAt(0) % SHARDS.length]!;
    const change = write(key, { shard, expectedSeq: actor.seq, events });
    actor.seq++;
    const fences = new Map([[shard, this.#epochs.get(shard)!]]);
    const { failures } = await this.store.flush(batch(fences, [change]));
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
  }

  total(): number {
    return [...this.#actors.values()].reduce((sum, { offset }) => sum + offset, 0);
  }

  /** What the stream must hold of each actor in the end. */
  expected(): Record<string, number[]> {
    return Object.fromEntries(
      [...this.#actors].map(([key, { offset }]) => [key, Array.from({ length: offset }, (_, index) => index + 1)]),
    );
  }

  async isEmpty(): Promise<boolean> {
    return (await this.outbox.lag(SHARDS)).waiting === 0;
  }
}

function offsetsByKey(events: readonly OutboxEvent[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const { key, offset } of events) {
    found[key] ??= [];
    found[key].push(offset);
  }
  return found;
}

function relayOf(t: Test, options: Pick<EventRelayOptions, "outbox" | "stream"> & Partial<EventRelayOptions>) {
  const relay = createEventRelay({
    ownedShards: () => SHARDS,
    clock,
    log: silentLog,
    ...options,
    settings: { ...QUICK, ...options.settings },
  });
  t.teardown(() => relay.stop());
  return relay;
}

t.test("RULE 11: events that wait, and events that come later, reach the stream in order", async (t) => {
  const source = new Source();
  const stream = createMemoryEventStream();
  await source.add("a", 20);
  await source.add("b", 1);
  const relay = relayOf(t, { outbox: source.outbox, stream });
  relay.start();
  relay.start();
  await until("the first events", () => stream.events.length === 21);
  await source.add("a", 3);
  relay.poke();
  await until("all events deleted", () => source.isEmpty());
  await source.add("c", 2);
  await until("events that nobody told of", () => source.isEmpty());
  t.strictSame(offsetsByKey(stream.events), source.expected());
  await until("the lag is measured", () => relay.stats().lag?.waiting === 0);
  await relay.stop();
  t.match(relay.stats(), { published: 26, failed: 0, buffered: 0, publishing: 0, pausedActors: 0 });
});

t.test("R-CLU-3: with the stream out of reach nothing is read, and the lag shows it", async (t) => {
  const source = new Source();
  const stream = createMemoryEventStream();
  stream.available = false;
  let reads = 0;
  const outbox: EventOutbox = {
    ...source.outbox,
    unpublished: (...words) => {
      reads++;
      return source.outbox.unpublished(...words);
    },
  };
  await source.add("a", 7);
  const relay = relayOf(t, { outbox, stream });
  relay.start();
  await until("the lag", () => relay.stats().lag?.waiting === 7);
  relay.poke();
  t.type(relay.stats().lag?.oldestAt, "number");
  t.equal(reads, 0);
  t.match(relay.stats(), { streamAvailable: false, buffered: 0 });
  stream.available = true;
  await until("all events deleted", () => source.isEmpty());
  t.strictSame(offsetsByKey(stream.events), source.expected());
});

t.test("R-CLU-3: a stream that fails is tried with one event at a time, and said to fail once", async (t) => {
  const source = new Source();
  const memory = createMemoryEventStream();
  let broken = true;
  let attempts = 0;
  let publishing = 0;
  let mostAtOnce = 0;
  const stream: EventStream = {
    available: true,
    close: async () => {},
    async publish(event) {
      attempts++;
      publishing++;
      if (attempts > 8) mostAtOnce = Math.max(mostAtOnce, broken ? publishing : 0);
      await sleep(clock, 1);
      publishing--;
      if (broken) throw new Error("no answer");
      await memory.publish(event);
    },
  };
  for (const key of "abcdefgh") await source.add(key, 3);
  const log = recordingLog();
  const relay = relayOf(t, { outbox: source.outbox, stream, log, settings: { maxPublishing: 8 } });
  relay.start();
  await until("many attempts", () => attempts > 20);
  t.equal(mostAtOnce, 1);
  broken = false;
  await until("all events deleted", () => source.isEmpty());
  t.strictSame(offsetsByKey(memory.events), source.expected());
  t.equal(log.lines.filter(({ message }) => /cannot be published/.test(message)).length, 1);
});

t.test("R-CLU-3: refused events stop their actors, however many, and nobody else", async (t) => {
  const source = new Source();
  const memory = createMemoryEventStream();
  let refusing = true;
  const stream: EventStream = {
    available: true,
    close: async () => {},
    async publish(event) {
      if (refusing && event.key.startsWith("x") && event.offset === 2) throw new EventRefused("too large");
      await memory.publish(event);
    },
  };
  // More actors are refused, and with more events, than the relay has room for.
  for (let index = 0; index < 30; index++) await source.add(`x${index}`, 4);
  const log = recordingLog();
  const relay = relayOf(t, {
    outbox: source.outbox,
    stream,
    log,
    settings: { maxBuffered: 16, maxPublishing: 4, perActor: 4 },
  });
  relay.start();
  await until("every refused actor was tried", () => log.lines.length >= 30);
  await source.add("good", 10);
  await until("the others pass", () => memory.has({ kind: "order", key: "good", offset: 10 }));
  const before = offsetsByKey(memory.events);
  t.strictSame(before.x7, [1], "nothing overtakes a refused event");
  t.strictSame(before.x29, [1]);
  t.equal(log.lines.filter(({ level }) => level === "error").length, 30, "each is said once");
  refusing = false;
  await until("all events deleted", () => source.isEmpty());
  t.strictSame(offsetsByKey(memory.events), source.expected());
});

t.test("R-CLU-3: events of shards that are lost are left to their new owner", async (t) => {
  const source = new Source();
  const memory = createMemoryEventStream();
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const byOld: string[] = [];
  const slow: EventStream = {
    available: true,
    close: async () => {},
    async publish(event) {
      byOld.push(`${event.key}:${event.offset}`);
      await gate;
      await memory.publish(event);
    },
  };
  await source.add("a", 5);
  await source.add("b", 5);
  let owned: readonly number[] = SHARDS;
  const old = relayOf(t, { outbox: source.outbox, stream: slow, ownedShards: () => owned });
  old.start();
  await until("both actors' first events are on their way", () => byOld.length === 2);
  owned = [];
  await until("the rest is forgotten", () => old.stats().buffered === 2);
  const next = relayOf(t, { outbox: source.outbox, stream: memory });
  next.start();
  await until("the new owner has published all", () => memory.events.length === 10);
  letGo();
  await until("the old one is settled", () => old.stats().buffered === 0);
  t.strictSame(byOld.sort(), ["a:1", "b:1"]);
  t.strictSame(offsetsByKey(memory.events), source.expected());
  t.ok(await source.isEmpty());
});

t.test("R-CLU-3: stopping settles what is under way; a store that is away does not keep it from ending", async (t) => {
  const source = new Source();
  const memory = createMemoryEventStream();
  await source.add("a", 3);
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let begun = 0;
  const slow: EventStream = {
    available: true,
    close: async () => {},
    async publish(event) {
      begun++;
      await gate;
      await memory.publish(event);
    },
  };
  const relay = relayOf(t, { outbox: source.outbox, stream: slow });
  relay.start();
  await until("an event is on its way", () => begun === 1);
  const stopped = relay.stop();
  letGo();
  await stopped;
  t.equal(begun, 1, "nothing more is sent");
  t.equal((await source.outbox.lag(SHARDS)).waiting, 2, "what was stored is deleted");

  const away: EventOutbox = {
    ...source.outbox,
    published: async () => {
      throw new Error("the database is away");
    },
  };
  const log = recordingLog();
  const other = relayOf(t, { outbox: away, stream: memory, log });
  other.start();
  await until("both are stored", () => memory.events.length === 3);
  await until("deleting has failed", () => log.lines.length > 0);
  await other.stop();
  t.equal((await source.outbox.lag(SHARDS)).waiting, 2);
});

t.test("settings that make no sense are refused", async (t) => {
  const source = new Source();
  const options = { outbox: source.outbox, stream: createMemoryEventStream(), ownedShards: () => [], clock };
  t.throws(
    () => createEventRelay({ ...options, log: silentLog, settings: { maxPublishing: 0 } }),
    /maxPublishing must be a whole number from 1, not 0/,
  );
});

/** Everything that can go wrong between a relay and its two ends, as the seed says, until it is healed. */
class Trouble {
  healed = false;
  /** What a relay did that it never may. */
  readonly faults: string[] = [];
  readonly #random: Random;
  readonly #memory: MemoryEventStream;
  readonly #source: Source;

  constructor(random: Random, source: Source, memory: MemoryEventStream) {
    this.#random = random;
    this.#source = source;
    this.#memory = memory;
  }

  chance(of: number): boolean {
    return !this.healed && this.#random.next() < of;
  }

  async hesitate(): Promise<void> {
    for (let turns = randomInteger(this.#random, 3); turns > 0; turns--) await Promise.resolve();
    if (this.chance(0.2)) await sleep(clock, randomInteger(this.#random, 3));
  }

  /** The two ends as one relay sees them. A dead relay's calls are never answered and do nothing. */
  ends(isDead: () => boolean): { outbox: EventOutbox; stream: EventStream } {
    const trouble = this;
    const [source, memory] = [this.#source, this.#memory];
    const underWay = new Set<string>();
    const never = (): Promise<never> => new Promise(() => {});
    const outbox: EventOutbox = {
      ...source.outbox,
      async unpublished(...words) {
        await trouble.hesitate();
        if (isDead()) return never();
        if (trouble.chance(0.1)) throw new Error("the database is away");
        return await source.outbox.unpublished(...words);
      },
      async published(events) {
        await trouble.hesitate();
        if (isDead()) return never();
        if (trouble.chance(0.1)) throw new Error("the database is away");
        for (const event of events) {
          if (!memory.has(event)) trouble.faults.push(`deleted ${event.key}:${event.offset} before it was stored`);
        }
        await source.outbox.published(events);
        if (isDead()) return never();
        if (trouble.chance(0.1)) throw new Error("the answer is lost");
      },
    };
    const stream: EventStream = {
      get available() {
        return !trouble.chance(0.05);
      },
      close: async () => {},
      async publish(event) {
        if (underWay.has(event.key)) trouble.faults.push(`two events of ${event.key} at once`);
        underWay.add(event.key);
        try {
          await trouble.hesitate();
          if (isDead()) return await never();
          if (trouble.chance(0.1)) throw new Error("not stored");
          if (trouble.chance(0.05)) throw new EventRefused("too large for now");
          await memory.publish(event);
          await trouble.hesitate();
          if (isDead()) return await never();
          if (trouble.chance(0.1)) throw new Error("the answer is lost");
        } finally {
          underWay.delete(event.key);
        }
      },
    };
    return { outbox, stream };
  }
}

t.test("RULE 11: whatever fails, every event is stored, in order per actor, and deleted only then", async (t) => {
  const seeds = fc.integer({ min: 1, max: 2 ** 31 });
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const random = seededRandom(seed);
      const source = new Source();
      const memory = createMemoryEventStream();
      const trouble = new Trouble(random, source, memory);
      const owner = SHARDS.map(() => randomInteger(random, 2));
      const alive: { relay: EventRelay; die(): void }[] = [];
      const startRelay = (name: number): void => {
        let dead = false;
        const relay = createEventRelay({
          ...trouble.ends(() => dead),
          ownedShards: () => SHARDS.filter((shard) => owner[shard] === name),
          clock,
          log: silentLog,
          settings: { ...QUICK, pollMs: 2, maxBuffered: 12, maxPublishing: 4, perActor: 3 },
        });
        alive[name] = {
          relay,
          die: () => {
            dead = true;
            // It will never be settled: its calls hang. Its timers end here.
            void relay.stop();
          },
        };
        relay.start();
      };
      startRelay(0);
      startRelay(1);
      for (let step = 0; step < 40; step++) {
        const dice = random.next();
        if (dice < 0.7) {
          await source.add("abcdefgh"[randomInteger(random, 8)]!, 1 + randomInteger(random, 4));
          alive[randomInteger(random, 2)]!.relay.poke();
        } else if (dice < 0.85) {
          owner[randomInteger(random, SHARDS.length)] = randomInteger(random, 2);
        } else if (dice < 0.92) {
          const name = randomInteger(random, 2);
          alive[name]!.die();
          startRelay(name);
        } else {
          await sleep(clock, randomInteger(random, 4));
        }
      }
      trouble.healed = true;
      await until(`all events of seed ${seed} are deleted`, () => source.isEmpty());
      await Promise.all(alive.map(({ relay }) => relay.stop()));
      t.strictSame(trouble.faults, [], `seed ${seed}`);
      t.strictSame(offsetsByKey(memory.events), source.expected(), `seed ${seed}`);
      return trouble.faults.length === 0 && memory.events.length === source.total();
    }),
    { numRuns: 40 },
  );
});
