/** What every store of saved payment methods keeps. */
import type { Test } from "tap";
import type { MethodStore } from "../../services/payments/ports.js";

export async function methodsContract(t: Test, make: (t: Test) => Promise<MethodStore>): Promise<void> {
  const method = (id: string, customerId: string, at: number) => ({
    id,
    customerId,
    label: `Card ${id}`,
    sealedToken: `sealed-${id}`,
    at,
  });
  await t.test("R-PAY-3: a customer's methods are theirs alone, bounded, and saved once", async (t) => {
    const store = await make(t);
    t.ok(await store.save(method("m2", "a", 2), 2));
    t.ok(await store.save(method("m1", "a", 1), 2));
    t.ok(await store.save(method("m1", "a", 9), 2), "the same again");
    t.notOk(await store.save(method("m3", "a", 3), 2), "too many");
    t.notOk(await store.save(method("m1", "b", 1), 2), "another's id");
    t.ok(await store.save(method("m4", "b", 4), 2));
    t.strictSame(
      (await store.ofCustomer("a")).map((each) => ({ ...each })),
      [method("m1", "a", 1), method("m2", "a", 2)],
    );
    t.match(await store.find("a", "m1"), { sealedToken: "sealed-m1" });
    t.equal(await store.find("b", "m1"), null);
    t.notOk(await store.remove("b", "m1"));
    t.ok(await store.remove("a", "m1"));
    t.notOk(await store.remove("a", "m1"));
    t.equal(await store.find("a", "m1"), null);
  });
}
