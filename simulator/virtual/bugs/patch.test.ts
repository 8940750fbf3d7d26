import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { BUGS } from "./list.js";
import { replaceOnce } from "./patch.js";

const COMPILED = join(import.meta.dirname, "..", "..", "..");

t.test("R-SIM-2: a patch that does not find its place exactly once is an error", async (t) => {
  t.throws(() => replaceOnce("a b a", "a", "c", "text"), /text has 2 times, not once/);
  t.throws(() => replaceOnce("a b a", "d", "c", "text"), /0 times/);
  t.equal(replaceOnce("if (a(b))\n        return $1;", "if (a(b)) return $1;", "$&", "text"), "$&");
});

t.test("R-SIM-2: every planted bug fits the product as it is, alone and with its other patches", async (t) => {
  for (const { name, patches } of BUGS) {
    const texts = new Map<string, string>();
    t.doesNotThrow(() => {
      for (const { file, find, replace } of patches) {
        const text = texts.get(file) ?? readFileSync(join(COMPILED, file), "utf8");
        texts.set(file, replaceOnce(text, find, replace, file));
      }
    }, name);
  }
});

t.test("R-SIM-2: at least twenty bugs, each with a name and rules of its own to be found by", async (t) => {
  t.ok(BUGS.length >= 20, `${BUGS.length} bugs`);
  t.equal(new Set(BUGS.map(({ name }) => name)).size, BUGS.length);
  for (const { name, by, within } of BUGS) t.ok(by.length > 0 && within > 0, name);
});
