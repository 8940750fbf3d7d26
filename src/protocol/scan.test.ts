import t from "tap";
import { seededRandom } from "../lib/random.js";
import { jsonCodec, msgpackCodec } from "./codec.js";
import { CLIENT_FRAME_LIMITS, scanJson, scanMessagePack } from "./scan.js";

const bytes = (...values: number[]) => Uint8Array.from(values);
const scan = (...values: number[]) => scanMessagePack(bytes(...values), CLIENT_FRAME_LIMITS);

t.test("R-PRO-5: the scan names what is wrong with MessagePack bytes", async (t) => {
  t.equal(scan(), "empty");
  t.equal(scan(0xc0), null);
  t.equal(scan(0xc0, 0xc0), "trailing_bytes");
  t.equal(scan(0x92, 0x01), "truncated");
  t.equal(scan(0xdd, 0x7f, 0xff, 0xff, 0xff), "too_many_nodes", "a count that lies is not believed");
  t.equal(scan(0xdc, 0x0f, 0x00, 0x01), "truncated");
  t.equal(scan(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61), "truncated");
  t.equal(scan(0xc1), "reserved_byte");
  t.equal(scan(0xc4, 0x01, 0x00), "binary");
  t.equal(scan(0xd4, 0x72, 0x40), "extension", "a record definition of msgpackr");
  t.equal(scan(0xd5, 0x72, 0x40, 0x91), "extension");
  t.equal(scan(0xc7, 0x00, 0x69), "extension");
  t.equal(scan(0xd6, 0xff, 0, 0, 0, 0), "extension", "a timestamp");
  t.equal(scan(0x81, 0x01, 0x02), "map_key");
  t.equal(scan(0x81, 0x90, 0x02), "map_key");
  t.equal(scan(0x81, 0xc0, 0x02), "map_key");
  t.equal(scan(0x81, 0xa1, 0x61, 0x02), null);
  t.equal(scan(0x82, 0xa1, 0x61, 0x90, 0xd9, 0x01, 0x62, 0x80), null);
  t.equal(scan(...new Array(8).fill(0x91), 0x01), null, "depth 8");
  t.equal(scan(...new Array(9).fill(0x91), 0x01), "too_deep");
  t.equal(scanMessagePack(new Uint8Array(16 * 1024 + 1), CLIENT_FRAME_LIMITS), "too_large");
  const wide = new Uint8Array(3 + 4096);
  wide.set([0xdc, 0x10, 0x00]);
  t.equal(scanMessagePack(wide, CLIENT_FRAME_LIMITS), "too_many_nodes");
});

t.test("R-PRO-5: JSON has the same limits", async (t) => {
  const limits = CLIENT_FRAME_LIMITS;
  t.equal(scanJson("", limits), "empty");
  t.equal(scanJson("[".repeat(9), limits), "too_deep");
  t.equal(scanJson(`["${"[".repeat(100)}\\"[[[[[[[[["]`, limits), null, "brackets in strings do not count");
  t.equal(scanJson(`[${"1,".repeat(4095)}1]`, limits), "too_many_nodes");
  t.equal(scanJson(" ".repeat(16 * 1024 + 1), limits), "too_large");
  for (const text of ["[1,", "nul", "[1]x", "\u0000", "{]"])
    t.same(jsonCodec.decode(text), { ok: false, problem: "not_json" });
  t.same(jsonCodec.decode(bytes(0x22, 0xff, 0x22)), { ok: false, problem: "not_json" }, "bytes that are not UTF-8");
});

t.test("R-PRO-1: both codecs give back what they were given, without `undefined`", async (t) => {
  const frame = [
    4,
    1,
    "key",
    "order.place",
    { a: [1, -1, 0.5, 2 ** 40, -(2 ** 40)], b: { c: null, d: true }, text: "çığ😀" },
  ];
  for (const codec of [msgpackCodec, jsonCodec]) {
    const decoded = codec.decode(codec.encode(frame));
    t.same(decoded, { ok: true, value: frame }, codec.name);
    t.same(codec.decode(codec.encode([{ gone: undefined, here: 1 }])), { ok: true, value: [{ here: 1 }] }, codec.name);
  }
  t.equal(msgpackCodec.decode("text").ok, false);
});

t.test("R-PRO-1: a decoded value shares no memory with its input", async (t) => {
  const input = new Uint8Array(
    msgpackCodec.encode([4, 1, "a-key-of-some-length", { name: "x".repeat(200) }]) as Uint8Array,
  );
  const decoded = msgpackCodec.decode(input);
  input.fill(0);
  t.same(decoded, { ok: true, value: [4, 1, "a-key-of-some-length", { name: "x".repeat(200) }] });
});

t.test("R-PRO-5: 150,000 hostile messages: none throws, none passes that is not within the limits", async (t) => {
  const random = seededRandom(20261121);
  const valid = [
    [1, "token".repeat(40), "device-1", "1.0.0"],
    [4, 7, "key-1", "order.place", { restaurantId: "r1", lines: [{ itemId: "a", quantity: 1, unitPriceMinor: 5 }] }],
    [6, "boot", 12, 1_790_000_000_000, new Array(20).fill([0, 41.01, 28.97, 5, -1, -1])],
    [0, [2, 1, "order:o1"], [3, 2, "order:o2"], [8, 5]],
  ].map((frame) => Uint8Array.from(msgpackCodec.encode(frame) as Uint8Array));
  const counts = { accepted: 0, refused: 0 };
  const depthOf = (value: unknown): number =>
    value !== null && typeof value === "object" ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  for (let i = 0; i < 150_000; i++) {
    let message: Uint8Array;
    const source = valid[i % valid.length]!;
    switch (i % 5) {
      case 0: // random
        message = random.bytes(1 + Math.floor(random.next() * 60));
        break;
      case 1: // truncated
        message = source.subarray(0, Math.floor(random.next() * source.length));
        break;
      case 2: {
        // deep
        message = new Uint8Array(1 + Math.floor(random.next() * 300)).fill(random.next() < 0.5 ? 0x91 : 0x81);
        break;
      }
      default: {
        // a valid one with some bytes changed
        message = Uint8Array.from(source);
        const changes = 1 + Math.floor(random.next() * 4);
        for (let n = 0; n < changes; n++)
          message[Math.floor(random.next() * message.length)] = Math.floor(random.next() * 256);
      }
    }
    const decoded = i % 7 === 6 ? jsonCodec.decode(message) : msgpackCodec.decode(message);
    if (decoded.ok) {
      counts.accepted++;
      if (depthOf(decoded.value) > 8) t.fail(`depth ${depthOf(decoded.value)} passed at ${i}`);
    } else counts.refused++;
  }
  t.ok(counts.accepted > 1_000 && counts.refused > 50_000, JSON.stringify(counts));
  t.ok(msgpackCodec.decode(valid[0]!).ok, "and the decoder still works");
});
