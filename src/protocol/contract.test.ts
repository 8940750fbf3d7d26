/**
 * The wire contract as one reviewed file. A change of it is a change for every app in the field: it must be seen.
 * After a wanted change: `node dist/src/protocol/contract.test.js --update`, and say why in the commit message.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import t from "tap";
import * as protocol from "./mod.js";

const file = resolve("src/protocol/contract.golden.json");
const contract = {
  subprotocols: [protocol.SUBPROTOCOL_MSGPACK, protocol.SUBPROTOCOL_JSON],
  limits: {
    frame: protocol.CLIENT_FRAME_LIMITS,
    batch: protocol.MAX_BATCH,
  },
  ops: protocol.OP,
  clientFrames: protocol.CLIENT_FRAME_SCHEMAS,
  commands: protocol.COMMANDS,
  gps: protocol.GPS,
  channels: protocol.CHANNELS,
  errors: Object.fromEntries(Object.entries(protocol.ERRORS).map(([code, entry]) => [code, entry.temporary])),
  closeCodes: protocol.CLOSE,
  statuses: protocol.NEXT_STATUS,
};
const text = `${JSON.stringify(contract, null, 2)}\n`;

t.test("R-PRO-1: the wire contract is the one in contract.golden.json", async (t) => {
  if (process.argv.includes("--update")) writeFileSync(file, text);
  t.equal(readFileSync(file, "utf8"), text);
});

t.test("R-PRO-1: every schema is one, by the book that the start does not read", async (t) => {
  const ajv = new Ajv({ strict: true });
  const bodies = Object.values(protocol.COMMANDS).map(({ body }) => body);
  for (const schema of [...Object.values(protocol.CLIENT_FRAME_SCHEMAS).flat(), ...bodies, protocol.GPS.body]) {
    t.equal(ajv.validateSchema(schema), true, ajv.errorsText());
  }
  t.equal(ajv.validateSchema({ type: "integer", minimum: "none" }), false, "one that is none is seen");
});

t.test("R-PRO-1: every string and array a client may send is bounded, every object closed", async (t) => {
  const walk = (schema: unknown, path: string): void => {
    if (schema === null || typeof schema !== "object") return;
    const node = schema as Record<string, unknown>;
    if (node.type === "string" && node.const === undefined) t.ok(node.maxLength !== undefined, `${path} has maxLength`);
    if (node.type === "array") t.ok(node.maxItems !== undefined || Array.isArray(node.items), `${path} is bounded`);
    if (node.type === "number" || node.type === "integer")
      t.ok(
        (node.minimum !== undefined && node.maximum !== undefined) || node.const !== undefined,
        `${path} has a range`,
      );
    if (node.type === "object" && !path.startsWith("frame 4"))
      t.equal(node.additionalProperties, false, `${path} is closed`);
    for (const [key, child] of Object.entries(node)) {
      if (Array.isArray(child)) for (const [i, each] of child.entries()) walk(each, `${path}/${key}/${i}`);
      else walk(child, `${path}/${key}`);
    }
  };
  for (const [op, schemas] of Object.entries(protocol.CLIENT_FRAME_SCHEMAS))
    for (const s of schemas) walk(s, `frame ${op}`);
  for (const [type, entry] of Object.entries(protocol.COMMANDS)) walk(entry.body, type);
  walk(protocol.GPS.body, "gps");
});

t.test("R-PRO-1: frames and bodies are checked op by op, command by command", async (t) => {
  protocol.compileValidators();
  for (const type of Object.keys(protocol.COMMANDS) as protocol.CommandType[])
    t.not(protocol.validateCommandBody(type, null), null, `${type} is compiled on first use`);
  const ok = (frame: unknown) => t.ok(protocol.validateClientFrame(frame).ok, JSON.stringify(frame));
  const refused = (frame: unknown, path: string, requestId = 0) => {
    const result = protocol.validateClientFrame(frame);
    t.match(result, { ok: false, problem: { path }, requestId }, JSON.stringify(frame));
  };
  ok([1, "token", "device", "1.2.3"]);
  ok([2, 1, "order:o1"]);
  ok([2, 1, "order:o1", 3, 4]);
  ok([4, 1, "key", "order.place", {}]);
  ok([4, 1, "key", "order.place", {}, 1_790_000_000_000]);
  ok([6, "boot", 0, 1_790_000_000_000, [[0, 41, 29, 5, -1, -1]]]);
  ok([8, 12.5]);
  refused([2, 1, "order:o1", 3], "", 1);
  refused([2, -1, "order:o1"], "/1");
  refused([2, 7, ""], "/2", 7);
  refused([2, Number.NaN, "x"], "/1");
  refused([4, 1, "key", "order.place", []], "/4", 1);
  refused([4, 1, "ke y", "order.place", {}], "/2", 1);
  refused([6, "boot", 0, 1, []], "/4");
  refused([6, "boot", 0, 1, [[0, 91, 0, 0, 0, 0]]], "/4/0/1");
  refused([6, "boot", 0, 1, [[0, Number.NaN, 0, 0, 0, 0]]], "/4/0/1");
  refused([16, "x"], "/0");
  refused([[]], "/0");
  refused("x", "");
  refused({ 0: 1 }, "");
  const order = {
    restaurantId: "r1",
    lines: [{ itemId: "a", quantity: 1, unitPriceMinor: 100 }],
    destination: { lat: 1, lng: 2 },
    currency: "TRY",
  };
  t.equal(protocol.validateCommandBody("order.place", order), null);
  t.match(protocol.validateCommandBody("order.place", { ...order, customerId: "other" }), { path: "/customerId" });
  t.match(protocol.validateCommandBody("order.place", { ...order, lines: [] }), { path: "/lines" });
  t.match(protocol.validateCommandBody("order.place", { ...order, note: "a\u0000b" }), { path: "/note" });
  t.match(protocol.validateCommandBody("order.place", { ...order, note: "a\ud800b" }), { path: "/note" });
  t.equal(protocol.validateCommandBody("order.place", { ...order, note: "a 😀 b\n" }), null);
  t.match(protocol.validateCommandBody("order.place", Object.assign(Object.create(order), {})), {
    problem: /is missing/,
  });
  t.same(protocol.framesOf([0]), null);
  t.same(protocol.framesOf([0, ...new Array(65).fill([8, 1])]), null);
  t.equal(protocol.framesOf([0, ...new Array(64).fill([8, 1])])?.length, 64);
  t.notOk(protocol.isCommandType("toString"));
});
