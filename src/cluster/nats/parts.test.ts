import t from "tap";
import type { LinkMessage } from "../../actors/runtime/link.js";
import { large, pass, told, twoLinks } from "./fixtures/cores.js";
import { decodeParcel, encodePart } from "./parcel.js";

t.test("R-CLU-3: a message that is larger than the server takes arrives in parts, once and in order", async (t) => {
  const { clock, ether, a, b, atA, atB } = await twoLinks(1_000, { windowBytes: 8_000, maxMessageBytes: 20_000 });
  const sent: LinkMessage[] = [];
  const heard: LinkMessage[] = [];
  b.receive((_, messages) => heard.push(...messages));
  for (let n = 0; n < 40; n += 2) sent.push(told(n), large(n + 1));
  // Larger than the window: it goes alone.
  sent.push({ t: "reply", id: 1, value: { text: "ö".repeat(9_000), bytes: 7 } }, told(41));
  for (const message of sent) a.send("b/1", message);
  await pass(clock, 100);
  t.strictSame(heard, sent);
  await pass(clock, 1_000);
  t.match(a.stats(), { unsendable: 0, malformed: 0, peers: [{ queued: 0, inFlight: 0, sent: 42, resets: 0 }] });
  t.ok(ether.published.every(({ bytes }) => bytes.length <= 1_000));
  t.same([atA, atB], [["b/1 up"], ["a/1 up"]]);
  // The loss of one part ends the session, as that of any parcel.
  let parts = 0;
  const drop = ether.publish;
  ether.publish = (subject, bytes) => {
    if (decodeParcel(bytes)?.kind === "part" && ++parts === 3) return;
    drop(subject, bytes);
  };
  a.send("b/1", large(42));
  a.send("b/1", told(43));
  await pass(clock, 1_000);
  t.same(
    [atA, atB].map((log) => log.slice(1)),
    [
      ["b/1 down", "b/1 up"],
      ["a/1 down", "a/1 up"],
    ],
  );
  t.equal(heard.length, 42, "half a message is none");
  a.send("b/1", large(44));
  await pass(clock, 100);
  t.strictSame(heard.slice(42), [large(44)]);
});

t.test("R-CLU-3: parts that belong to no message begin the session anew, and are not kept", async (t) => {
  for (const [what, parts] of [
    ["one is missing", [5, 3]],
    ["a second message before the first has ended", [1, 1]],
    ["more than a message may have", Array.from({ length: 60 }, (_, n) => 100 - n)],
  ] as const) {
    const { clock, ether, b, atB } = await twoLinks(1_000, { maxMessageBytes: 20_000 });
    const beat = ether.published.map(({ bytes }) => decodeParcel(bytes)!).findLast(({ from }) => from === "a/1")!;
    const { subject } = ether.published.findLast(({ bytes }) => decodeParcel(bytes)!.from === "a/1")!;
    for (const [n, left] of parts.entries())
      ether.publish(
        subject,
        encodePart({ ...beat, kind: "part", number: n + 1 }, { left, bytes: new Uint8Array(900) }),
      );
    await pass(clock, 500);
    t.same(atB, ["a/1 up", "a/1 down", "a/1 up"], what);
    t.equal(b.stats().malformed, 1, what);
  }
});
