import t from "tap";
import type { LinkMessage } from "../link.js";
import { pack, unpack } from "./parcel.js";

/** Asks that differ from the first in one thing each, most of them in what the short way does not carry. */
function alike(id: number, to: { kind: string; key: string }, caller: { id: string; role: string }): LinkMessage[] {
  const one = { t: "ask", id, to, name: "gps", input: 1, commandId: "", bodyHash: "", caller, notAfter: null } as const;
  const other = { to: { kind: "driver", key: "d2" }, caller: { id: "d2", role: "driver" } };
  return [
    one,
    { ...one, ...other, id: id + 1, input: 2 },
    { ...one, ...other, mayWait: true },
    { ...one, to: other.to },
    { ...one, name: "read" },
    { ...one, ...other, name: "read", input: 3 },
    { ...one, to: { kind: "order", key: "d1" } },
    { ...one, caller: { id: "d1", role: "admin" } },
    { ...one, commandId: "c" },
    { ...one, bodyHash: "h" },
    { ...one, notAfter: 0 },
    one,
  ];
}

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
    ...alike(7, to, caller),
  ];
  t.strictSame(unpack(structuredClone(pack(messages))), messages);
  t.strictSame(unpack(pack([])), []);
  t.end();
});
