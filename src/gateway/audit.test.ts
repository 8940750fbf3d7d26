import t from "tap";
import type { AuditDraft } from "../services/audit/mod.js";
import { startHarness, trackingOf } from "./fixtures/harness.js";

t.test(
  "R-ADM-2: what staff do stands in the audit before they hear that it is done, once, and nothing else does",
  async (t) => {
    const entries: AuditDraft[] = [];
    let away = false;
    const h = await startHarness({
      audit: {
        async append(drafts) {
          if (away) throw new Error("the store is away");
          entries.push(...drafts);
        },
      },
    });
    t.teardown(() => h.close());
    for (const orderId of ["o1", "o2"])
      await h.tell("order", orderId, "show", { tracking: trackingOf(orderId, 1, "accepted"), viewFirst: true });
    const refund = (orderId: string, role: "support" | "customer", idempotencyKey: string) =>
      h.http("POST", `/v1/orders/${orderId}/refund`, {
        token: h.token(role, "s1"),
        headers: { "idempotency-key": idempotencyKey },
        body: { amountMinor: 300, reason: "cold on arrival" },
      });
    t.equal((await refund("o1", "customer", "k0")).body.error.code, "forbidden");
    t.same(entries, [], "what was refused is not recorded as done");
    t.equal((await refund("o1", "support", "k1")).status, 200);
    t.match(entries, [
      { role: "support", principalId: "s1", action: "ops.refund", subject: "order/o1", reason: "cold on arrival" },
    ]);

    away = true;
    const unsure = await refund("o2", "support", "k2");
    t.equal(unsure.body.error.code, "unavailable", "nobody hears that it is done while nothing tells of it");
    away = false;
    t.equal((await refund("o2", "support", "k2")).status, 200, "asked again under the same key");
    t.equal((await refund("o2", "support", "k2")).status, 200);
    const [, second, repeated] = entries;
    t.match(second, { subject: "order/o2", once: String });
    t.equal(repeated?.once, second?.once, "which the log keeps as one");
    t.not(second?.once, entries[0]?.once);

    t.equal((await refund("o1", "support", "k2")).status, 200, "a key used again, for another order");
    t.match(entries.at(-1), { subject: "order/o1" });
    t.not(entries.at(-1)?.once, second?.once, "is a deed of its own, and leaves a trace of its own");
  },
);
