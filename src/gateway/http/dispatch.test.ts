import t from "tap";
import { startHarness, trackingOf } from "../fixtures/harness.js";

t.test(
  "R-DSP-7: support asks why this driver; nobody else may, and of what is not there nothing is said",
  async (t) => {
    const h = await startHarness();
    t.teardown(() => h.close());
    const path = "/v1/orders/o1/dispatch";
    const staff = h.token("support", "s1");
    t.equal((await h.http("GET", path, { token: staff })).body.error.code, "not_found");
    await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 1, "accepted"), viewFirst: true });
    const answer = await h.http("GET", path, { token: staff });
    t.equal(answer.status, 200, answer.text);
    t.same(answer.body, { orderId: "o1", caller: { id: "s1", role: "support" } }, "the order hears who asks");
    for (const role of ["customer", "driver", "restaurant"] as const) {
      t.equal((await h.http("GET", path, { token: h.token(role, "x") })).body.error.code, "forbidden", role);
    }
    t.equal((await h.http("GET", path, {})).body.error.code, "unauthenticated");
  },
);
