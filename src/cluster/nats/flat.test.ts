import fc from "fast-check";
import t from "tap";
import type { LinkMessage } from "../../actors/runtime/link.js";
import { decode, encode } from "../../lib/msgpack.js";
import { flat, messageOf } from "./flat.js";

const text = fc.string({ maxLength: 12 });
const count = fc.nat();
const address = fc.record({ kind: text, key: text });
const caller = fc.record({ id: text, role: text });
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll("__proto__", "proto")) as never);
const patient = fc.constantFrom({}, { mayWait: true as const });

const asks = fc
  .tuple(
    fc.record({
      t: fc.constant("ask" as const),
      id: count,
      to: address,
      name: text,
      input: json,
      commandId: text,
      bodyHash: text,
      caller,
      notAfter: fc.option(count),
    }),
    patient,
  )
  .map(([ask, wait]) => ({ ...ask, ...wait }));
const replies = fc
  .tuple(fc.record({ t: fc.constant("reply" as const), id: count, value: json }), patient)
  .map(([reply, wait]) => ({ ...reply, ...wait }));
const casts = fc.record({
  t: fc.constant("cast" as const),
  to: address,
  name: text,
  input: json,
  caller: fc.option(caller),
  from: fc.option(address),
});
const slots = fc.record({
  t: fc.constant("slot" as const),
  of: address,
  channel: text,
  item: fc.record({ slot: text, version: fc.tuple(count, count), at: count, ttlMs: count, body: json }),
});
const others = fc.oneof(
  fc.record({ t: fc.constant("told" as const), from: address, number: count }),
  fc.record({
    t: fc.constant("mirror" as const),
    entry: fc.record({ key: text, version: fc.tuple(count, count), value: json, expiresAt: count }),
  }),
  fc.record({
    t: fc.constant("subscribed" as const),
    id: count,
    epoch: count,
    top: count,
    recovered: fc.boolean(),
    events: fc.array(fc.record({ offset: count, type: text, at: count, body: json }), { maxLength: 3 }),
    slots: fc.constant([]),
  }),
);
/** Without the objects that have no prototype, which arrive as others. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const messages: fc.Arbitrary<LinkMessage> = fc.oneof(asks, replies, casts, slots, others).map(plain);
const overTheLine = (message: LinkMessage): unknown => decode(encode(flat(message)));

t.test("R-CLU-3: a message arrives as it was sent", async (t) => {
  fc.assert(
    fc.property(messages, (message) => {
      t.strictSame(messageOf(overTheLine(message)), message);
    }),
  );
  t.end();
});

t.test(
  "R-CLU-3: a list in which a place is missing or holds anything else is no message, or one of sound types",
  async (t) => {
    const sound: Readonly<Record<string, (message: never) => boolean>> = {
      ask: ({ id, to, name, commandId, bodyHash, caller }: Extract<LinkMessage, { t: "ask" }>) =>
        Number.isSafeInteger(id) &&
        [to.kind, to.key, name, commandId, bodyHash, caller.id, caller.role].every((each) => typeof each === "string"),
      reply: ({ id }: Extract<LinkMessage, { t: "reply" }>) => Number.isSafeInteger(id),
      cast: ({ to, name, caller, from }: Extract<LinkMessage, { t: "cast" }>) =>
        [to.kind, to.key, name, caller?.id ?? "", caller?.role ?? "", from?.kind ?? "", from?.key ?? ""].every(
          (each) => typeof each === "string",
        ),
      slot: ({ of, channel, item }: Extract<LinkMessage, { t: "slot" }>) =>
        [of.kind, of.key, channel, item.slot].every((each) => typeof each === "string") &&
        [...item.version, item.at, item.ttlMs].every((each) => typeof each === "number"),
    };
    const junk = fc.oneof(json, fc.constant(undefined), fc.constant(Number.NaN), fc.constant(-1));
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(asks, replies, casts, slots), fc.nat(11), junk, (message, place, value) => {
        const list = flat(message) as unknown[];
        t.equal(messageOf(list.slice(0, -1)), null, "one too short");
        list[Math.min(place, list.length - 1)] = value;
        const heard = messageOf(list);
        if (heard === null) refused++;
        else t.ok(sound[heard.t]?.(heard as never), JSON.stringify(list));
      }),
    );
    t.ok(refused > 10, `${refused} refused`);
    for (const value of [null, 7, "ask", [], [9], ["ask"], {}, { t: "cast" }]) t.equal(messageOf(value), null);
  },
);
