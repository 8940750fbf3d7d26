import t from "tap";
import { plainCopy } from "./plain-copy.js";

t.test("R-SIM-2: a plain copy is what another thread would get", async (t) => {
  const values: readonly unknown[] = [
    null,
    undefined,
    0,
    -0,
    Number.NaN,
    "text",
    true,
    12n,
    [],
    {},
    [1, [2, { three: [null, undefined] }]],
    { a: { b: { c: new Uint8Array([1, 2, 3]) } }, absent: undefined },
    { t: "ask", input: [{ lines: [{ itemId: "x", quantity: 2 }] }], notAfter: null },
    new Date(5),
    new Map([["a", new Set([1])]]),
  ];
  for (const value of values) t.strictSame(plainCopy(value), structuredClone(value));
});

t.test("R-SIM-2: a copy shares nothing with its original", async (t) => {
  const original = { list: [{ n: 1 }], bytes: new Uint8Array([1, 2]) };
  const copy = plainCopy(original);
  (original.list[0] as { n: number }).n = 2;
  original.list.push({ n: 3 });
  original.bytes[0] = 9;
  t.same(copy, { list: [{ n: 1 }], bytes: new Uint8Array([1, 2]) });
});

t.test("R-SIM-2: a view into a larger buffer is copied alone", async (t) => {
  const large = new Uint8Array(1_000).fill(7);
  const copy = plainCopy({ bytes: large.subarray(10, 12) });
  t.equal(copy.bytes.buffer.byteLength, 2);
  t.same(plainCopy(Buffer.from("ab")), new Uint8Array([97, 98]));
});

t.test("R-SIM-2: what no thread could be sent is refused as a thread would", async (t) => {
  t.throws(() => plainCopy({ run: () => 1 }), { name: "DataCloneError" });
  t.throws(() => plainCopy([Symbol("s")]), { name: "DataCloneError" });
});
