/** Conversation between real clients over a real node of its own process, on real Postgres, with lines that are cut. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { CuttingProxy } from "./fixtures/cutting-proxy.js";
import { type NodeProcess, startNode, until } from "./fixtures/node-process.js";
import { scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { settled, VirtualClock } from "./fixtures/virtual-clock.js";
import {
  type ChatLine,
  type Client,
  chat,
  contactNumber,
  courier,
  createClient,
  createHttp,
  customer,
  kitchen,
  type OrderView,
  openSupportRoom,
  openTripRoom,
  type RoomView,
  watchQueue,
} from "./node.js";
import type { SocketConstructor, SocketLike } from "./ports.js";

/** A network that swallows every socket. */
class NoSocket implements SocketLike {
  binaryType = "arraybuffer";
  readonly protocol = "";
  readonly bufferedAmount = 0;
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;
  send(): void {}
  close(): void {}
}

const dataDir = mkdtempSync(join(tmpdir(), "se-chat-"));
const FLAGS = ["--search.enabled", "false", "--time-scale", "20"];
const startChatNode = (port: number): Promise<NodeProcess> => startNode(dataDir, port, FLAGS);

let node = await startChatNode(0);
const open: { close(): unknown }[] = [];
t.teardown(async () => {
  for (const each of open) await each.close();
  await node.end("SIGTERM");
  rmSync(dataDir, { recursive: true, force: true });
});
const [carolsToken, agentsToken, drivers, kitchens, admins, mallorys] = (await createHttp({
  url: node.url,
}).issueTokens({
  operatorSecret: node.operatorSecret,
  principals: [
    { id: "carol", role: "customer" },
    { id: "ann", role: "support" },
    { id: "dave", role: "driver" },
    { id: "trattoria", role: "restaurant" },
    { id: "admin", role: "admin" },
    { id: "mallory", role: "customer" },
  ],
  ttlSeconds: 3600,
})) as [string, string, string, string, string, string];

/** A client behind a line that can be cut. */
async function clientOf(token: string): Promise<{ readonly client: Client; readonly line: CuttingProxy }> {
  const line = new CuttingProxy(node.port);
  const port = await line.listen();
  const client = createClient({ url: `http://127.0.0.1:${port}`, token, backoffBaseMs: 10, backoffMaxMs: 100 });
  open.push(client, line);
  await client.ready();
  return { client, line };
}

const textsOf = (lines: readonly ChatLine[]): string[] =>
  lines.flatMap((line) => (line.type === "chat.message" ? [line.body.text] : []));
const offsetsOf = (lines: readonly ChatLine[]): number[] => lines.map(({ offset }) => offset);

t.test(
  "R-COM-1: a customer and an agent talk, over cut lines and the death of the node, each line once and in order",
  async (t) => {
    const carol = await clientOf(carolsToken);
    const ann = await clientOf(agentsToken);
    const { roomId } = await openSupportRoom(carol.client);
    let queue: readonly RoomView[] = [];
    const queueWatch = watchQueue(ann.client, {
      changed: (rooms) => {
        queue = rooms;
      },
    });
    const carols = chat(carol.client, roomId);
    await carols.say("My soup is cold");
    await until("the agent sees that somebody waits", () => queue.some((room) => room.roomId === roomId));
    t.match(queue, [{ roomId, status: "waiting", excerpt: "My soup is cold", customerId: "carol" }]);
    const anns = chat(ann.client, roomId);
    await t.rejects(anns.say("too early"), { code: "not_claimed" });
    await ann.client.command("chat.claim", { roomId });
    await anns.say("Sorry! I look into it.");
    await until("both see both", () => textsOf(carols.lines).length === 2 && textsOf(anns.lines).length === 2);

    const said: Promise<unknown>[] = [];
    const expected = ["My soup is cold", "Sorry! I look into it."];
    for (let i = 0; i < 30; i++) {
      const [speaker, who] = i % 2 === 0 ? [carols, "carol"] : [anns, "ann"];
      said.push(speaker.say(`${who} ${i}`));
      if (i % 10 === 3) carol.line.cutAll();
      if (i % 10 === 7) ann.line.cutAll();
      if (i === 15) {
        const { port } = node;
        await node.end("SIGKILL");
        said.push(carols.say("said while nobody listened"));
        t.ok(carols.outgoing.length > 0, "what cannot be sent is on its way");
        node = await startChatNode(port);
      }
    }
    await Promise.all(said);
    for (let i = 0; i < 30; i++) expected.push(`${i % 2 === 0 ? "carol" : "ann"} ${i}`);
    expected.push("said while nobody listened");
    await until("everything is shown to both", () =>
      [carols, anns].every(({ lines }) => textsOf(lines).length === expected.length),
    );
    for (const { lines, outgoing } of [carols, anns]) {
      t.same(
        offsetsOf(lines),
        lines.map((_, i) => i + 1),
        "no hole, no repeat",
      );
      t.same(textsOf(lines).toSorted(), expected.toSorted());
      t.same(
        outgoing.filter(({ refused }) => refused === null),
        [],
        "nothing is left on its way",
      );
    }
    t.same(carols.lines, anns.lines, "one order for both");
    for (const who of ["carol", "ann"]) {
      const own = textsOf(carols.lines).filter((text) => new RegExp(`^${who} [0-9]+$`).test(text));
      t.same(
        own,
        expected.filter((text) => own.includes(text)),
        `${who}'s words are in the order in which they were said`,
      );
    }
    // A third device of hers, on a network that lets no socket through.
    const walled = createClient({
      url: node.url,
      token: carolsToken,
      WebSocket: NoSocket as unknown as SocketConstructor,
      commandsByHttpAfterMs: 5,
    });
    open.push(walled);
    walled.connect();
    const polled = chat(walled, roomId, {}, { patienceMs: 5, pollMs: 50 });
    await until("the same lines by polls", () => polled.lines.length === carols.lines.length);
    t.same(polled.lines, carols.lines);
    await polled.say("from behind a wall");
    await anns.say("I hear you");
    expected.push("from behind a wall", "I hear you");
    await until("everybody has them", () =>
      [polled, carols, anns].every(({ lines }) => textsOf(lines).length === expected.length),
    );
    t.same(polled.lines, carols.lines);
    polled.stop();
    const page = await carol.client.http.get<{ lines: readonly ChatLine[]; nextBefore?: number }>(
      `/v1/rooms/${encodeURIComponent(roomId)}/messages`,
      { before: 6, limit: 3 },
    );
    t.same(page.lines, carols.lines.slice(2, 5), "the history says the same");
    t.equal(page.nextBefore, 3);

    carols.read();
    anns.types();
    await until("the agent sees that it was read", () => anns.room?.reads.customer === anns.lines.length);
    await until("the customer sees that somebody writes", () => carols.typing.includes("support"));
    await ann.client.command("chat.resolve", { roomId });
    await until("the queue is empty", () => queue.length === 0);
    await carols.say("One more thing");
    await until("the next word brings it back", () => queue.some((room) => room.status === "waiting"));
    queueWatch.stop();
    carols.stop();
    anns.stop();
  },
);

t.test(
  "R-COM-1, R-COM-4: customer and driver write to each other and share one number, from the pickup to the delivery",
  async (t) => {
    const where = { lat: 50.85, lng: 4.35 };
    await createHttp({ url: node.url, token: admins }).configureRestaurant("trattoria", {
      name: "Trattoria",
      ...where,
      currency: "EUR",
      deliveryRadiusMeters: 20_000,
      items: [{ itemId: "pizza", name: "Pizza", priceMinor: 1_100, prepMinutes: 5 }],
    });
    const carol = await clientOf(carolsToken);
    const dave = await clientOf(drivers);
    const oven = kitchen((await clientOf(kitchens)).client);
    const bike = courier(dave.client);
    const rooms: string[] = [];
    bike.work("dave", {
      event({ type, body }) {
        if (type === "offer.made") bike.accept(body.offerId).catch(() => undefined);
        if (type === "chat.opened") rooms.push(body.roomId);
      },
    });
    await bike.goOnline({ name: "Dave", vehicle: "bicycle", ...where });
    const { orderId } = await customer(carol.client).place({
      restaurantId: "trattoria",
      lines: [{ itemId: "pizza", quantity: 1, unitPriceMinor: 1_100 }],
      destination: { lat: 50.86, lng: 4.36 },
      currency: "EUR",
    });
    let view: OrderView | null = null;
    const now = (): OrderView | null => view;
    customer(carol.client).watch(orderId, {
      view: (next) => {
        view = next;
      },
    });
    await until("confirmed", () => now()?.status === "confirmed");
    await t.rejects(openTripRoom(carol.client, orderId), { code: "not_on_the_way" });
    await t.rejects(contactNumber(dave.client, orderId), { code: "not_found" }, "no driver has it yet");
    await oven.accept(orderId, 1);
    await oven.ready(orderId).catch(() => undefined);
    await until("a driver is found", () => now()?.driver !== undefined);
    await bike.pickUp(orderId);
    await until("on the way", () => now()?.status === "picked_up");
    const stranger = createHttp({ url: node.url, token: mallorys });
    await t.rejects(openTripRoom({ http: stranger } as Pick<Client, "http">, orderId), { code: "not_found" });
    await t.rejects(contactNumber({ http: stranger } as Pick<Client, "http">, orderId), { code: "not_found" });

    const { roomId } = await openTripRoom(carol.client, orderId);
    await until("the driver's app is told", () => rooms.includes(roomId));
    t.equal((await openTripRoom(dave.client, orderId)).roomId, roomId);
    const carols = chat(carol.client, roomId);
    const daves = chat(dave.client, roomId);
    await daves.say("Which bell?");
    await carols.say("The upper one", [{ attachmentId: "a1", mediaType: "image/jpeg", sizeBytes: 4_000 }]);
    await until("both see both", () => textsOf(carols.lines).length === 2 && textsOf(daves.lines).length === 2);
    t.same(textsOf(daves.lines), ["Which bell?", "The upper one"]);
    t.match(daves.lines.at(-1), { body: { attachments: [{ attachmentId: "a1" }], from: { side: "customer" } } });
    t.notMatch(JSON.stringify([daves.lines, daves.room]), /carol/, "the driver does not learn who the customer is");
    t.notMatch(JSON.stringify([carols.lines, carols.room]), /dave/);
    const { number } = await contactNumber(carol.client, orderId);
    t.match(number, /^\+999[0-9]{10}$/);
    t.same(await contactNumber(dave.client, orderId), { number }, "the same for both");
    await bike.deliver(orderId);
    await until("the room is ending", () => carols.room?.status === "ending");
    await t.rejects(contactNumber(carol.client, orderId), { code: "not_on_the_way" });
    await carols.say("Thank you!");
    await until("a last word is heard", () => textsOf(daves.lines).includes("Thank you!"));
    const mine = await carol.client.http.get<{ rooms: readonly RoomView[] }>("/v1/me/rooms");
    t.same(mine.rooms.map(({ kind }) => kind).sort(), ["support", "trip"]);
  },
);

t.test(
  "R-COM-1: a line said before a reload, or before the room was opened anew, is told of its refusal",
  async (t) => {
    const clock = new VirtualClock();
    const texts = new Map<string, string>();
    const storage = {
      getItem: (key: string) => texts.get(key) ?? null,
      setItem: (key: string, value: string) => void texts.set(key, value),
      removeItem: (key: string) => void texts.delete(key),
    };
    const started = () => {
      const { Socket, made } = scriptedSockets();
      const options = { url: "http://n", token: "t", deviceId: "phone", WebSocket: Socket, clock, storage };
      return { client: createClient(options), made };
    };
    const before = started();
    chat(before.client, "room", {}, { clock })
      .say("before the reload")
      .catch(() => undefined);
    before.client.close();

    const { client, made } = started();
    const first = chat(client, "room", {}, { clock });
    first.say("before it was opened anew").catch(() => undefined);
    first.stop();
    let changes = 0;
    const room = chat(client, "room", { changed: () => changes++ }, { clock });
    const shown = () => room.outgoing.map(({ text, refused }) => `${text}: ${refused?.code ?? "on its way"}`);
    t.same(shown(), ["before the reload: on its way", "before it was opened anew: on its way"]);
    client.connect();
    made[0]!.opens();
    made[0]!.receives(WELCOME(clock.now()));
    for (let refused = 0; refused < 2; refused++) {
      await settled();
      const said = made[0]!.sent.filter(([op]) => op === 4)[refused]!;
      made[0]!.receives([18, said[1], "room_closed", false, 0]);
    }
    await settled();
    t.same(shown(), ["before the reload: room_closed", "before it was opened anew: room_closed"]);
    t.ok(changes >= 2, "the page is told");
    for (const { messageId } of room.outgoing) room.dismiss(messageId);
    t.same(room.outgoing, []);
    room.stop();
    client.close();
  },
);
