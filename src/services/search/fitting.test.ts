import fc from "fast-check";
import t from "tap";
import { Fitting } from "./fitting.js";

t.test("R-SRC-1: of every text it is known whether it fits, and at which place", (t) => {
  const some = fc.integer({ min: 0, max: 200 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      texts: fc.oneof(
        fc.constant(Array.from({ length: count }, (_, text) => text)),
        fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, count - 1) }), { maxLength: count }),
      ),
    }),
  );
  fc.assert(
    fc.property(some, ({ count, texts }) => {
      const fitting = new Fitting(new Set(texts), count);
      const sorted = [...texts].sort((a, b) => a - b);
      t.strictSame([...fitting.texts], sorted);
      // Some more than there are: a menu may have come since.
      const all = Array.from({ length: count + 70 }, (_, text) => text);
      t.strictSame(
        all.map((text) => fitting.placeOf(text)),
        all.map((text) => sorted.indexOf(text)),
      );
    }),
    { numRuns: 300 },
  );
  t.end();
});
