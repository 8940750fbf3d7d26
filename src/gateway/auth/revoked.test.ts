import t from "tap";
import { CLOSE } from "../../protocol/mod.js";
import { clock, eventually, startHarness, trackingOf } from "../fixtures/harness.js";
import { Revocations } from "./revocations.js";

const HOUR = 3_600_000;

t.test(
  "R-ACC-2 R-ADM-2: an ended session is refused by HTTP, and its sockets and streams close; nobody else's",
  async (t) => {
    const h = await startHarness();
    t.teardown(() => h.close());
    const tokenOf = (accountId: string, sessionId: string) =>
      h.tokens.issue({ id: "c1", role: "customer", accountId, sessionId }, 3600);
    const [ended, kept] = [tokenOf("a1", "s1"), tokenOf("a1", "s2")];
    const hello = async (token: string, device: string) => {
      const socket = await h.socket();
      socket.send([1, token, device, "1.0.0"]);
      await socket.next((frame) => frame[0] === 16);
      return socket;
    };
    const [leaving, staying] = [await hello(ended, "d1"), await hello(kept, "d2")];
    await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 1, "ready", null), viewFirst: true });
    const stream = async (token: string) => {
      const answer = await fetch(`${h.url}/v1/orders/o1/stream`, { headers: { authorization: `Bearer ${token}` } });
      t.equal(answer.status, 200);
      return answer.body!.getReader();
    };
    const [cut, lasting] = [await stream(ended), await stream(kept)];
    t.ok(h.tokens.revoke([{ key: "s:s1", until: clock.now() + HOUR, why: "signed_out" }]));
    t.notOk(h.tokens.revoke([{ key: "s:s1", until: clock.now() + HOUR, why: "signed_out" }]), "no news");
    t.equal((await h.http("GET", "/v1/orders", { token: ended })).status, 401);
    t.equal((await leaving.closed).code, CLOSE.badToken);
    while (!(await cut.read()).done);
    t.equal((await h.http("GET", "/v1/orders", { token: kept })).status, 200);

    h.tokens.revoke([{ key: "p:customer/c1", until: clock.now() + HOUR, why: "banned" }]);
    t.equal((await staying.closed).code, CLOSE.forbidden);
    while (!(await lasting.read()).done);
    const operatorsToken = h.token("customer", "c1");
    t.equal((await h.http("GET", "/v1/orders", { token: operatorsToken })).status, 401, "whoever made the token");
    t.equal((await h.http("GET", "/v1/orders", { token: h.token("customer", "c2") })).status, 200);
    h.tokens.revoke([{ key: "p:customer/c1", until: 0, why: "banned" }]);
    await eventually(
      "the ban is lifted",
      async () => (await h.http("GET", "/v1/orders", { token: operatorsToken })).status === 200,
    );
  },
);

t.test("rule 16: what is revoked is remembered in bounded memory, bans the longest", async (t) => {
  let now = 1_000_000;
  const revocations = new Revocations({ ...clock, now: () => now }, 100);
  const ofSession = (id: string) => ({ id: "c", role: "customer" as const, sessionId: id, expiresAt: now + HOUR });
  revocations.apply([{ key: "p:driver/d1", until: now + 1000 * HOUR, why: "banned" }]);
  for (let n = 0; n < 1000; n++) revocations.apply([{ key: `s:${n}`, until: now + HOUR + n, why: "signed_out" }]);
  t.ok(revocations.size <= 100);
  t.equal(revocations.why(ofSession("999")), "signed_out");
  t.equal(revocations.why(ofSession("0")), null, "what would have ended soonest is forgotten");
  t.equal(revocations.why({ id: "d1", role: "driver" }), "banned");
  t.equal(revocations.why({ id: "d1", role: "customer" }), null, "in this role");
  now += 2 * HOUR;
  t.equal(revocations.why(ofSession("999")), null, "its tokens have ended by themselves");
  const located = { id: "d2", role: "driver" as const, accountId: "a2", expiresAt: now + HOUR };
  revocations.apply([{ key: "g:a2", until: now + HOUR, why: "no_consent" }]);
  t.notOk(revocations.mayBeLocated(located));
  t.equal(revocations.why(located), null, "a driver without consent may do all the rest");
  revocations.apply([{ key: "g:a2", until: 0, why: "no_consent" }]);
  t.ok(revocations.mayBeLocated(located));
});
