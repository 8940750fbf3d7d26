import t from "tap";
import { PasswordsBusy } from "../services/accounts/mod.js";
import { createPasswordPool } from "./password-pool.js";

t.test("R-ACC-2: passwords are hashed with argon2id in threads of their own, so many at a time", async (t) => {
  const pool = createPasswordPool(1, 4);
  t.teardown(() => pool.close());
  const hashed = await pool.hash("ÄÖ a sentence 🍕");
  t.match(hashed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,}\$[A-Za-z0-9+/]{43}$/);
  t.not(await pool.hash("ÄÖ a sentence 🍕"), hashed, "with a salt of its own each time");
  t.same(
    await Promise.all(["ÄÖ a sentence 🍕", "ao a sentence", ""].map((password) => pool.verify(hashed, password))),
    [true, false, false],
  );
  const many = await Promise.allSettled(Array.from({ length: 6 }, () => pool.verify(hashed, "x")));
  const busy = many.filter((each) => each.status === "rejected" && each.reason instanceof PasswordsBusy);
  t.equal(busy.length, 2, "what is beyond the queue hears so at once");
  t.equal(many.filter((each) => each.status === "fulfilled").length, 4);
});
