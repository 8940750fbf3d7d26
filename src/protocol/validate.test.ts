/** What a client's developer reads of a wrong field: which one, and what would do. */
import t from "tap";
import { isCardNumber } from "./card-number.js";
import { OPERATIONS } from "./operations/mod.js";
import { validateSchema } from "./validate.js";

const applying = OPERATIONS["accounts.apply"]!.body!;
const promoting = OPERATIONS["promotions.put"]!.body!;

t.test("R-PRO-2: a value that may be of several kinds is judged as the kind that it says it is", async (t) => {
  const opens = { name: "Luz", currency: "EUR" };
  t.equal(validateSchema(applying, { role: "restaurant", opens }), null);
  t.match(validateSchema(applying, { role: "restaurant", opens: { ...opens, lat: 91 } }), {
    path: "/opens/lat",
    problem: "must be <= 90",
  });
  t.match(validateSchema(applying, { role: "restaurant", vehicle: "car" }), { path: "/vehicle" });
  t.match(validateSchema(applying, { role: "driver", documents: [] }), { path: "/vehicle" });
  t.match(validateSchema(applying, { role: "driver", vehicle: "car", documents: [{ kind: "x", reference: "r" }] }), {
    path: "/documents/0/kind",
    problem: "must be one of: identity, licence, insurance, permit",
  });
  const promotion = {
    discount: { kind: "percent", perMille: 0, mostMinor: null },
    currency: "EUR",
    minimumMinor: 0,
    from: 0,
    until: 1,
    totalLimit: null,
    customerLimit: 0,
    restaurantId: null,
    active: true,
  };
  t.match(validateSchema(promoting, promotion), { path: "/discount/perMille" });
  t.match(validateSchema(promoting, { ...promotion, discount: { kind: "fixed", amountMinor: 5 } }), {
    path: "/customerLimit",
  });
});

t.test("R-PRO-2: where only some values will do, they are named", async (t) => {
  t.match(validateSchema(applying, { role: "chef" }), { path: "/role", problem: "must be one of: driver, restaurant" });
  t.match(validateSchema(applying, { role: "driver", vehicle: "tank", documents: [] }), {
    path: "/vehicle",
    problem: "must be one of: bicycle, scooter, motorcycle, car, foot",
  });
  t.match(validateSchema(applying, { role: "driver", vehicle: "car", documents: [], note: "a\u0000b" }), {
    path: "/note",
    problem: "must hold neither a NUL nor half of a surrogate pair",
  });
  for (const wrong of [null, 7, [], {}, "driver"]) t.type(validateSchema(applying, wrong)?.problem, "string");
});

t.test("R-ACC-4: a card's number is told from a token", async (t) => {
  for (const card of ["4111111111111111", "4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005"]) {
    t.ok(isCardNumber(card), card);
  }
  for (const token of [
    "tok_4111111111111111",
    "4111111111111112",
    "1234567890",
    "default",
    "",
    "pm-0",
    "0".repeat(40),
  ]) {
    t.notOk(isCardNumber(token), token);
  }
});
