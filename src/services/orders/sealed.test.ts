import t from "tap";
import { type ActorClient, actorRef, type ChannelSink } from "../../actors/runtime/mod.js";
import type { Json } from "../../lib/json.js";
import { seededRandom } from "../../lib/random.js";
import { createTextSeal } from "../../lib/sealed-text.js";
import { createOrderSeal, openedEntry, openedIndex, openedMirror, type PlaceInput, sealedClient } from "./mod.js";

const DOOR = "Calle 93 # 14-20, the blue door";
const NOTE = "ring at Ana's";
const Order = actorRef<{ place: { input: PlaceInput; reply: Json } }>("order");
const sealOf = (...secrets: string[]) => createOrderSeal(createTextSeal(secrets, "doors", seededRandom(1)));
const seal = sealOf("one secret");
const order = (address: string, note: string) =>
  ({ restaurantId: "r", destination: { lat: 4.6, lng: -74, address }, note, lines: [] }) as unknown as PlaceInput;

t.test("R-ACC-4: the words of a door are sealed for their order, and open for no other", async (t) => {
  const placed = seal.place("o1", order(DOOR, NOTE));
  t.match(placed.destination, { lat: 4.6, lng: -74 }, "the point is needed");
  for (const text of [DOOR, NOTE, "Calle"]) t.notOk(JSON.stringify(placed).includes(text));
  t.strictSame(seal.open(placed, "o1"), order(DOOR, NOTE));
  t.match(seal.open(placed, "o2"), { destination: { address: "" }, note: "" });
  t.match(seal.open(placed, null), { note: "" });
  t.match(seal.open({ orderId: "o1", ...placed }, null), { note: NOTE }, "what names its order is judged by that name");
  t.match(sealOf("another secret").open(placed, "o1"), { note: "" });
  t.match(sealOf("new secret", "one secret").open(placed, "o1"), { note: NOTE }, "a secret can be replaced");
  t.match(seal.open({ note: placed.note!.replace(/.$/, (last) => (last === "A" ? "B" : "A")) }, "o1"), { note: "" });
});

t.test("R-ACC-4: whatever somebody writes comes back as it was written", async (t) => {
  for (const text of ["sealed:v1.00000000.AAAA", "sealed:", "", "🍕\u0000\n", seal.place("o", order("", "x")).note!]) {
    t.equal((seal.open(seal.place("o", order(text, text)), "o") as PlaceInput).note, text);
  }
  const plain = { orderId: "o", name: "sealed:bid Pizza", stops: [{ orderId: "o", name: DOOR }] };
  t.equal(seal.open(plain, null), plain, "what was kept before there were seals, and what only looks like one");
});

t.test("R-ACC-4: an actor hears sealed words, everybody who may see an order reads them", async (t) => {
  const heard: Json[] = [];
  let sink: ChannelSink | null = null;
  const actors: ActorClient = {
    async ask(_to, _key, _name, input) {
      heard.push(input as unknown as Json);
      return { ok: true, value: { orderId: "o", note: (input as PlaceInput).note } as never };
    },
    askThen(to, key, name, input, options, answered) {
      this.ask(to, key, name, input, options).then(answered);
    },
    cast: () => true,
    subscribe(_channel, _caller, _from, given) {
      sink = given;
      return { acknowledge() {}, close() {} };
    },
  };
  const client = sealedClient(actors, seal);
  const options = { commandId: "c", caller: { id: "c", role: "customer" } };
  const answer = await client.ask(Order, "o", "place", order(DOOR, NOTE), options);
  t.match(answer, { ok: true, value: { note: NOTE } });
  const told = new Promise((resolve) =>
    client.askThen(Order, "o", "place", order(DOOR, NOTE), options, (result) => resolve(result)),
  );
  t.match(await told, { ok: true, value: { note: NOTE } });
  t.notOk(JSON.stringify(heard).includes("Ana"));

  const kept = seal.place("o", order(DOOR, NOTE)) as unknown as Json;
  const stops = [{ orderId: "o", kind: "dropoff", name: (kept as unknown as PlaceInput).destination.address }];
  const items: object[] = [];
  for (const [kind, channel, key, body, wanted] of [
    ["order", "view", "o", { orderId: "o", destination: (kept as unknown as PlaceInput).destination }, DOOR],
    ["order", "view", "o", kept, NOTE],
    ["restaurant", "inbox", "r", { orders: [{ orderId: "o", note: (kept as { note: Json }).note }] }, NOTE],
    ["driver", "work", "d", { offers: [{ stops }] }, DOOR],
  ] as const) {
    const bodies: Json[] = [];
    const listen = (): void => {
      client.subscribe({ kind, key, channel }, options.caller, null, {
        subscribed: ({ events, slots }) => void bodies.push(...events.map((e) => e.body), ...slots.map((s) => s.body)),
        event: (item) => void bodies.push(item.body),
        slot(item) {
          items.push(item);
          bodies.push(item.body);
        },
        ended() {},
      });
    };
    listen();
    const item = { offset: 1, type: "x", at: 1, body: body as Json, slot: "s", version: [1, 1] as const, ttlMs: 1 };
    sink!.subscribed({ epoch: 1, top: 1, recovered: false, events: [item], slots: [item] });
    sink!.event(item);
    sink!.slot(item);
    t.equal(bodies.length, 4);
    for (const each of bodies) t.ok(JSON.stringify(each).includes(wanted), `${kind} ${channel}`);
    listen();
    sink!.slot(item);
    t.equal(items.at(-1), items.at(-2), "one item for all who listen, so that it is encoded once");
  }
  const entry = {
    key: "view:o",
    version: [1, 1] as const,
    value: { view: { orderId: "o", ...(kept as object) } },
    expiresAt: 1,
  };
  t.match(openedEntry(entry, seal), { value: { view: { note: NOTE } } });
  const slot = seal.open({ version: 2, view: entry.value.view }, null);
  const mirrored = openedEntry(entry, seal).value as unknown as typeof slot;
  t.equal(slot.view, mirrored.view, "a view that comes in several messages is opened once");
  t.match(await openedMirror({ read: async () => [entry, null] }, seal).read(["view:o", "view:p"]), [
    { value: { view: { destination: { address: DOOR } } } },
    null,
  ]);
  const rows = [{ kind: "order", key: "o", view: kept }] as never[];
  t.match(await openedIndex({ queryIndex: async () => rows }, seal).queryIndex({ kind: "order", limit: 1 }), [
    { view: { note: NOTE } },
  ]);
});
