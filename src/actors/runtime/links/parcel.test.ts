import t from "tap";
import type { LinkMessage } from "../link.js";
import { pack, unpack } from "./parcel.js";

t.test("R-ENG-2: what is packed for a port comes out as it went in, in order", (t) => {
  const to = { kind: "driver", key: "d1" };
  const caller = { id: "d1", role: "driver" };
  const ask = {
    t: "ask",
    id: 7,
    to,
    name: "gps",
    input: [1, { a: null }],
    commandId: "c",
    bodyHash: "h",
    caller,
  } as const;
  const messages: LinkMessage[] = [
    { ...ask, notAfter: null },
    { t: "reply", id: 7, value: { seq: 3 } },
    { ...ask, id: 2 ** 40, input: undefined, notAfter: 5, mayWait: true },
    { t: "credit", count: 4 },
    { t: "reply", id: 8, value: null, mayWait: true },
    { t: "error", id: 9, error: { code: "timeout", temporary: true } },
    { t: "cast", to, name: "x", input: [], caller: null, from: to },
    { t: "reply", id: 10, value: undefined },
  ];
  t.strictSame(unpack(structuredClone(pack(messages))), messages);
  t.strictSame(unpack(pack([])), []);
  t.end();
});
