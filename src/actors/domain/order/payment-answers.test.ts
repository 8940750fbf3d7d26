/** A provider that is silent about one method. */
import t from "tap";
import {
  inProcessProvider,
  type PaymentProvider,
  PaymentUnavailable,
  paymentEffect,
} from "../../../services/payments/mod.js";
import { type City, createCity, must } from "../fixtures/city.js";

t.test("R-PAY-3: a method that never answers gives way to the other while the customer still waits", async (t) => {
  const book = inProcessProvider(() => 0);
  const clock: { city?: City } = {};
  const provider: PaymentProvider = {
    ...book,
    async authorise(request) {
      if (request.method !== "silent") return book.authorise(request);
      // As long as the provider over HTTP takes to find out that nobody answers.
      await new Promise<void>((resolve) => clock.city?.kit.clock.after(12_500, resolve));
      throw new PaymentUnavailable("no answer");
    },
  };
  const city = createCity({ payment: paymentEffect(provider) });
  clock.city = city;
  await city.openRestaurant("r");
  await must(city.place("o", { method: "silent", fallback: "card" }));
  await must(city.place("p", { method: "silent" }));
  await city.reach("o", "confirmed");
  t.match((await city.state("o")).payment, { status: "authorised", n: 2 });
  await city.kit.advance(600_000);
  t.strictSame(
    [...book.book.authorisations()].map(([key, { voided }]) => [key, voided]).sort(),
    [
      ["o:authorise:1", true],
      ["o:authorise:2", true],
      ["p:authorise:1", true],
    ],
    "and nothing stays held of what nobody accepted",
  );
  t.match((await city.state("p")).closed, { status: "cancelled" }, "where there is no other, the order ends");
  await city.kit.close();
});
