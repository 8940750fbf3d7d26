import t from "tap";
import { Lat, Strict, Type } from "../schemas.js";
import { validateSchema } from "../validate.js";
import { readQuery } from "./operation.js";

const Query = Strict({
  lat: Lat,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000 })),
  open: Type.Optional(Type.Boolean()),
  text: Type.Optional(Type.String({ maxLength: 20 })),
  cuisines: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 3 })),
});

t.test("R-PRO-2: a query is read by its schema", async (t) => {
  t.strictSame(readQuery(Query, "lat=50.5&open=true&text=42&cuisines=thai,pizza"), {
    lat: 50.5,
    open: true,
    text: "42",
    cuisines: ["thai", "pizza"],
  });
  t.strictSame(readQuery(Query, "cuisines=thai&cuisines=pizza").cuisines, ["thai", "pizza"]);
});

t.test("R-PRO-5: what a query cannot be is refused by its schema, with the field", async (t) => {
  const refused = (query: string): string | null => validateSchema(Query, readQuery(Query, query))?.path ?? null;
  t.equal(refused("lat=50"), null);
  t.equal(refused("lat=fifty"), "/lat");
  t.equal(refused("lat="), "/lat");
  t.equal(refused("lat=91"), "/lat");
  t.equal(refused("lat=1&lat=2"), "/lat", "a value that comes twice");
  t.equal(refused("open=true"), "/lat", "one that is missing");
  for (const text of ["0x10", "1e3", "1E3", "10.0", "1.5", "+1", " 1", "1 ", "007", "1_0", "", "NaN", "Infinity"]) {
    t.equal(refused(`lat=1&limit=${encodeURIComponent(text)}`), "/limit", `"${text}" is no whole number`);
  }
  for (const text of ["0x10", ".5", "5.", "+1", " 1", "NaN", "Infinity", "1e"]) {
    t.equal(refused(`lat=${encodeURIComponent(text)}`), "/lat", `"${text}" is no number`);
  }
  for (const text of ["0", "-74.08", "1e-7", "4.5E1"]) t.equal(refused(`lat=${text}`), null, text);
  t.equal(refused("lat=1&limit=10"), null);
  for (const text of ["yes", "banana", "1", "TRUE", ""]) t.equal(refused(`lat=1&open=${text}`), "/open", text);
  t.equal(refused("lat=1&text=a&text=b"), "/text");
  t.equal(refused("lat=1&cuisines=a,b,c,d"), "/cuisines");
  t.equal(refused("lat=1&other=1"), "/other");
  t.equal(refused("lat=1&__proto__=1"), "/__proto__", "what every object has is a name like any other");
  t.equal(refused("lat=1&constructor=1"), "/constructor");
});
