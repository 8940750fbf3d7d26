import t from "tap";
import { startHarness } from "../fixtures/harness.js";

t.test("R-PAY-1: a signed operation hears the very bytes its signature stands over, another hears none", async (t) => {
  const heard: { readonly text: string; readonly signature: string }[] = [];
  const hear = ({ bytes, headers }: { readonly bytes: Uint8Array; readonly headers: { readonly signature: string } }) =>
    heard.push({ text: new TextDecoder().decode(bytes), signature: headers.signature });
  const h = await startHarness({
    operations: [
      {
        "payments.webhook": (call: Parameters<typeof hear>[0]) => {
          hear(call);
          return { ok: true, value: { received: true } };
        },
        "payments.saveMethod": (call: Parameters<typeof hear>[0]) => {
          hear(call);
          return { ok: false, code: "too_many_methods" };
        },
      },
    ],
  });
  t.teardown(() => h.close());
  const text = '{ "at": 1790000000000, "id":"7" , "orderId":"o1","key":"o1:authorise:1",\n "outcome":"authorised"}';
  const answer = await h.http("POST", "/v1/payments/webhooks", {
    body: text,
    headers: { "swift-eats-signature": "t=1,v1=ab" },
  });
  t.equal(answer.status, 200, answer.text);
  t.strictSame(heard, [{ text, signature: "t=1,v1=ab" }], "byte for byte, spaces and order too");
  const saved = await h.http("POST", "/v1/payment-methods", {
    token: h.token("customer", "c1"),
    body: { token: "tok-1", label: "Card" },
    headers: { "idempotency-key": "k1" },
  });
  t.equal(saved.body.error.code, "too_many_methods", saved.text);
  t.equal(heard[1]!.text, "");
});
