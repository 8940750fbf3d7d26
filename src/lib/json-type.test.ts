import t from "tap";
import { Type as TypeBox } from "typebox";
import { Type } from "./json-type.js";

/** The same schema, built by one or the other. */
const schemas = (T: typeof Type) => {
  const name = T.String({ maxLength: 3, pattern: "^a" });
  const bare = T.Object({});
  return {
    array: T.Array(name, { maxItems: 2, minItems: 1 }),
    boolean: T.Boolean({ description: "yes or no" }),
    enum: T.Enum(["a", "b"], { description: "a few" }),
    integer: T.Integer({ minimum: 1, maximum: 2 }),
    literals: T.Union([T.Literal("a"), T.Literal(1), T.Literal(true), T.Null()], { description: "one" }),
    object: T.Object(
      { a: T.Optional(name), b: name, c: T.Optional(T.Optional(bare)), d: T.Optional(T.Number()) },
      { additionalProperties: false, description: "some" },
    ),
    optionalAll: T.Object({ a: T.Optional(name) }),
    again: T.Object({ ...T.Object({ a: T.Optional(name), b: name }).properties, c: T.Unknown() }),
    bare,
    tuple: T.Tuple([name, T.Number(), T.Tuple([])], { description: "three" }),
    unknown: T.Unknown({ description: "anything" }),
    unsafe: T.Unsafe<string>({ type: ["string", "null"] }),
    string: T.String(),
  };
};

t.test("a schema has the same JSON as TypeBox's, in the same order", async (t) => {
  const [ours, theirs] = [schemas(Type), schemas(TypeBox)];
  for (const name of Object.keys(theirs) as (keyof typeof theirs)[]) {
    t.equal(JSON.stringify(ours[name]), JSON.stringify(theirs[name]), name);
  }
});

t.test("what is optional in one object is required in another", async (t) => {
  const name = Type.String();
  Type.Object({ a: Type.Optional(name) });
  t.strictSame(Type.Object({ a: name }).required, ["a"]);
});
