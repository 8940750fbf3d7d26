import t from "tap";
import type { RoomSnapshot } from "../../../protocol/mod.js";
import { ContactRefused } from "../../../services/contact/mod.js";
import type { Caller } from "../../runtime/definition.js";
import { type City, codeOf, createCity, customer, driver, must, support } from "../fixtures/city.js";
import { ChatRoom, Order } from "../mod.js";

const ROOM = "trip:o";
const carol = customer("c");
const dave = driver("d");

const talk = (city: City, caller: Caller) => city.kit.ask(Order, "o", "talk", null, { caller });
let messages = 0;
const say = (city: City, caller: Caller, text: string) =>
  city.kit.ask(ChatRoom, ROOM, "say", { roomId: ROOM, messageId: `m${++messages}`, text }, { caller });
const listen = (city: City, caller: Caller) =>
  city.kit.subscribe({ kind: "chat-room", key: ROOM, channel: "talk" }, caller);
const contact = (city: City, caller: Caller) =>
  city.kit.ask(ChatRoom, ROOM, "contact", null, { caller, commandId: "" });

async function carrying(): Promise<City> {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  return city;
}

t.test(
  "R-COM-1: customer and driver talk from the pickup on, and an order of which nobody speaks opens no room",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", "assigned");
    t.equal(await codeOf(talk(city, carol)), "not_on_the_way");
    t.equal(await codeOf(talk(city, dave)), "not_on_the_way");
    for (const stranger of [customer("x"), driver("x"), support, { id: "r", role: "restaurant" }])
      t.equal(await codeOf(talk(city, stranger)), "not_found", stranger.role);
    await must(city.order("o", "markReady", { orderId: "o" }, { id: "r", role: "restaurant" }));
    await must(city.drive("d", "pickUp", { orderId: "o" }));
    await city.reach("o", "picked_up");
    t.equal(city.kit.store.committed.filter(({ kind }) => kind === "chat-room").length, 0);
    const work = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, dave);
    const order = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, carol);
    t.same(await must(talk(city, carol)), { roomId: ROOM, opening: true });
    t.same(await must(talk(city, dave)), { roomId: ROOM, opening: true }, "once is enough");
    await city.kit.advance(100);
    t.match(
      work.events.at(-1),
      { type: "chat.opened", body: { orderId: "o", roomId: ROOM } },
      "the driver hears of it",
    );
    t.match(order.latest().view, { roomId: ROOM }, "and so does the customer");
    const heard = await listen(city, carol);
    await must(say(city, dave, "I am at the door"));
    await must(say(city, carol, "coming"));
    await city.kit.advance(50);
    t.match(
      heard.events.map(({ body }) => body),
      [
        { text: "I am at the door", from: { side: "driver" } },
        { text: "coming", from: { side: "customer" } },
      ],
    );
    t.notMatch(JSON.stringify(heard.events), /"c"|"d"/, "neither learns who the other is");
    for (const stranger of [customer("x"), driver("x")]) {
      t.equal(await codeOf(say(city, stranger, "hi")), "not_found");
      t.equal((await listen(city, stranger)).ended?.code, "not_found");
    }
    t.equal(await codeOf(say(city, support, "hi")), "forbidden", "support reads, and says nothing here");
    t.equal((await listen(city, support)).ended, null);
    await city.kit.close();
  },
);

t.test("R-COM-1: a while after the delivery the room closes, and the driver is out of it", async (t) => {
  const city = await carrying();
  const { kit } = city;
  await must(talk(city, carol));
  await kit.advance(50);
  const heard = { carol: await listen(city, carol), dave: await listen(city, dave) };
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  await must(say(city, carol, "you forgot the sauce"));
  await must(say(city, dave, "I come back"));
  await kit.crash();
  await kit.restart();
  await kit.advance(city.settings.chat.afterDeliveryMs + 1_000);
  t.equal(await codeOf(say(city, carol, "still there?")), "room_closed");
  t.equal(await codeOf(say(city, dave, "yes")), "not_found");
  t.equal(heard.dave.ended?.code, "not_found", "who listened was sent out");
  t.equal(heard.carol.ended, null);
  t.match(heard.carol.events.at(-1), { type: "chat.notice", body: { notice: "closed" } });
  t.equal((await listen(city, dave)).ended?.code, "not_found");
  const after = await listen(city, carol);
  t.equal((after.latest().snapshot as RoomSnapshot).lines.length, 4, "the customer keeps what was said");
  t.equal((await must(talk(city, carol))).opening, false);
  await kit.close();
});

t.test("R-COM-1 R-COM-3: who is written to and does not listen is told outside, once until it is read", async (t) => {
  const city = await carrying();
  const { kit } = city;
  await must(talk(city, carol));
  await kit.advance(50);
  const told = () =>
    kit
      .published({ kind: "chat-room", key: ROOM })
      .filter(({ type }) => type === "chat.unheard")
      .map(({ body }) => (body as unknown as { to: Caller }).to.role);
  await must(say(city, carol, "which floor are you on?"));
  await must(say(city, carol, "hello?"));
  t.same(told(), ["driver"], "two lines, one word");
  const line = await listen(city, carol);
  await must(say(city, dave, "the second"));
  t.same(told(), ["driver"], "carol listens; and who speaks has read");
  await must(say(city, carol, "come up"));
  t.same(told(), ["driver", "driver"]);
  line.close();
  await kit.advance(50);
  await must(say(city, dave, "here"));
  t.same(told(), ["driver", "driver", "customer"]);
  await kit.crash();
  await kit.restart();
  await must(say(city, dave, "at the door"));
  t.same(told(), ["driver", "driver", "customer"], "also after a crash");
  await must(kit.ask(ChatRoom, ROOM, "read", { roomId: ROOM, offset: 99 }, { caller: carol }));
  await must(say(city, dave, "cold"));
  t.same(told(), ["driver", "driver", "customer", "customer"]);
  t.notMatch(
    JSON.stringify(kit.published({ kind: "chat-room", key: ROOM })),
    /floor|cold/,
    "what was said is not told",
  );
  await kit.close();
});

t.test("R-COM-1: another driver takes the room over, and the one before hears nothing more", async (t) => {
  const city = await carrying();
  const { kit } = city;
  await must(talk(city, carol));
  await kit.advance(50);
  await must(contact(city, dave));
  await kit.advance(500);
  const before = await listen(city, dave);
  const standing = await kit.subscribe({ kind: "chat-room", key: ROOM, channel: "state" }, dave);
  const eve = driver("e");
  await kit.must(ChatRoom, ROOM, "openTrip", { orderId: "o", customerId: "c", driverId: "e", grant: 2 });
  await kit.must(ChatRoom, ROOM, "openTrip", { orderId: "o", customerId: "c", driverId: "d", grant: 1 });
  await kit.advance(500);
  await must(say(city, carol, "the code is 1234"));
  await kit.advance(50);
  t.equal(before.ended?.code, "not_found");
  t.notMatch(JSON.stringify(before.events), /1234/);
  t.equal(standing.ended?.code, "not_found", "nor sees who writes and reads");
  t.equal(await codeOf(say(city, dave, "hm")), "not_found");
  await must(say(city, eve, "thank you"));
  t.equal(city.contacts.connected, 0, "the number of the two before reaches nobody");
  await kit.close();
});

t.test("R-COM-4: customer and driver call each other by one number, which ends with the delivery", async (t) => {
  const city = await carrying();
  const { kit } = city;
  await must(talk(city, dave));
  await kit.advance(50);
  t.same(await must(contact(city, carol)), { number: null }, "it is on its way");
  await kit.advance(500);
  const { number } = await must(contact(city, carol));
  t.same(await must(contact(city, dave)), { number }, "the same for both");
  t.equal(city.contacts.call(number!, "c"), "d");
  t.equal(city.contacts.call(number!, "d"), "c");
  t.equal(city.contacts.call(number!, "x"), null);
  for (const stranger of [customer("x"), driver("x"), support])
    t.equal(await codeOf(contact(city, stranger)), "not_found", stranger.role);
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  await kit.advance(500);
  t.equal(city.contacts.call(number!, "c"), null, "it reaches nobody any more");
  t.equal(city.contacts.connected, 0);
  t.equal(await codeOf(contact(city, carol)), "not_on_the_way");
  await kit.close();
});

t.test(
  "R-COM-4: a number that comes after the delivery is closed at once; one that will not close is tried again",
  async (t) => {
    const city = await carrying();
    const { kit } = city;
    await must(talk(city, dave));
    await kit.advance(50);
    const { close } = city.contacts;
    let refusals = 0;
    city.contacts.close = async (pairId) => {
      if (++refusals <= 2) throw new Error("no answer");
      return close(pairId);
    };
    await must(contact(city, carol));
    await must(city.drive("d", "deliver", { orderId: "o" }));
    await city.reach("o", "delivered");
    await kit.advance(10 * 60_000);
    t.equal(city.contacts.connected, 0);
    t.ok(refusals > 2, "it was tried until it was done");
    await kit.close();
  },
);

t.test(
  "R-COM-4: a refusal to end a number is not its end, and an opening without an answer is ended too",
  async (t) => {
    for (const isLost of [false, true]) {
      const city = await carrying();
      const { kit } = city;
      await must(talk(city, dave));
      await kit.advance(50);
      const { open, close } = city.contacts;
      let forbidden = true;
      city.contacts.close = async (pairId) => {
        if (forbidden) throw new ContactRefused("this token may not");
        return close(pairId);
      };
      city.contacts.open = async (pair) => {
        const opened = await open(pair);
        if (isLost) throw new Error("the answer was lost");
        return opened;
      };
      await must(contact(city, carol));
      await kit.advance(5 * 60_000);
      await must(city.drive("d", "deliver", { orderId: "o" }));
      await city.reach("o", "delivered");
      await kit.advance(60_000);
      t.equal(city.contacts.connected, 1, "it rings, and the provider will not end it");
      forbidden = false;
      await kit.advance(2 * 3_600_000);
      t.equal(city.contacts.connected, 0, "once it may, it does");
      await kit.close();
    }
  },
);

t.test("R-COM-4: a provider that says no is not asked again by everybody who goes on waiting", async (t) => {
  const city = await carrying();
  const { kit } = city;
  await must(talk(city, dave));
  await kit.advance(50);
  const { open } = city.contacts;
  let asked = 0;
  let willing = false;
  city.contacts.open = async (pair) => {
    asked++;
    if (!willing) throw new ContactRefused("no number is free");
    return open(pair);
  };
  t.same(await must(contact(city, carol)), { number: null });
  await kit.advance(500);
  const codes = new Set<string>();
  for (let i = 0; i < 20; i++) {
    codes.add(await codeOf(contact(city, i % 2 === 0 ? carol : dave)));
    await kit.advance(25);
  }
  t.same([...codes], ["unavailable"], "they hear that there is none for now");
  t.equal(asked, 1);
  willing = true;
  await kit.advance(city.settings.chat.contactRetryMs);
  t.same(await must(contact(city, carol)), { number: null });
  await kit.advance(500);
  t.match(await must(contact(city, dave)), { number: String }, "and get one once there is");
  t.equal(asked, 2);
  await kit.close();
});

t.test("R-COM-1: an order that ends before its word to open has arrived opens no room", async (t) => {
  const city = createCity();
  await city.kit.must(ChatRoom, ROOM, "tripOver", { grant: 1 });
  await city.kit.must(ChatRoom, ROOM, "openTrip", { orderId: "o", customerId: "c", driverId: "d", grant: 1 });
  t.equal(await codeOf(say(city, carol, "hi")), "not_found");
  await city.kit.close();
});
