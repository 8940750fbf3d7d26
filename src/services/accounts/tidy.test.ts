import t from "tap";
import { callerOf, city, DAY, PASSWORD, until } from "./fixtures/city.js";

t.test("R-ACC-4: an account that does not open keeps nothing else from being tidied", async (t) => {
  let asked = 0;
  const records = [
    {
      name: "orders",
      async forget() {
        asked++;
        return asked > 1;
      },
    },
  ];
  const { node, store, clock, log } = city(["the oldest master key"], records);
  const old = await (await node()).signUp("old@example.com");
  const two = await node(["a newer master key", "the oldest master key"]);
  const ana = await two.signUp("ana@example.com");
  await two.call("accounts.erase", { caller: callerOf(ana), body: { password: PASSWORD } });
  await until(() => asked === 1);
  // The oldest key was taken away before all was sealed anew; what seals with the newest and knows the newer one is left.
  const three = await node(["the newest master key", "a newer master key"]);
  const bea = await two.signUp("bea@example.com");
  const cat = await two.signUp("cat@example.com");
  const { dataKey, masterId } = (await store.accounts.byId(cat.accountId))!;
  const spoilt = Uint8Array.from(dataKey!).fill(7, 30, 31);
  await store.accounts.resealAccount(cat.accountId, dataKey!, spoilt, masterId!);
  await three.accounts.tidy();
  t.equal(asked, 2, "who asked for it is forgotten");
  const keyOf = async (id: string) => (await store.accounts.byId(id))?.masterId;
  t.not(await keyOf(bea.accountId), await keyOf(old.accountId), "others are sealed anew");
  t.match(JSON.stringify(log.lines), cat.accountId, "and of one that was spoilt somebody is told");
  clock.turn(61 * DAY);
  await three.accounts.tidy();
  t.same(await store.accounts.sessionsOf(bea.accountId), [], "what has ended is forgotten");
});
