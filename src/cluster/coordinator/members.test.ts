import t from "tap";
import type { ClusterView, MemberRow } from "../ports.js";
import { createMembers } from "./members.js";

const row = (node: string, changes: Partial<MemberRow> = {}): MemberRow => ({
  node,
  incarnation: "1",
  workers: 1,
  url: "",
  state: "active",
  leaseLeftMs: 9_000,
  hasSession: true,
  joined: 1,
  seen: 1,
  ...changes,
});
const view = (at: number, members: readonly MemberRow[], serverStartedAt = 1): ClusterView => ({
  members,
  shards: [],
  serverStartedAt,
  databaseNow: at,
});
const open = () => createMembers("a", { sessionGraceMs: 2_000, heartbeatMs: 1_000 });
/** Without a session; its lease lasts until `leaseUntil` by the database's clock. */
const missing = (at: number, leaseUntil: number, serverStartedAt?: number): ClusterView =>
  view(at, [row("a"), row("b", { hasSession: false, leaseLeftMs: leaseUntil - at })], serverStartedAt);

t.test("R-CLU-1: a member without a session is gone after the grace, and keeps its place until then", async (t) => {
  const members = open();
  members.see(missing(1_000, 9_000), 1_000);
  t.equal(members.gone("b", 2_999), null);
  t.equal(members.nextGoneInMs(2_500), 500, "and it is known when to look again");
  t.notOk(members.isReady("b"), "but nothing is given to it");
  t.ok([...Array(64).keys()].some((shard) => members.desiredOwner(shard) === "b"));
  members.see(missing(3_000, 9_000), 3_000);
  t.equal(members.gone("b", 3_000), "session");
  t.ok([...Array(64).keys()].every((shard) => members.desiredOwner(shard) === "a"));
});

t.test("rule 4: a session that came and went unseen begins the grace anew", async (t) => {
  const members = open();
  members.see(missing(1_000, 9_000), 1_000);
  // The lease has grown, so it was renewed in between.
  members.see(missing(2_500, 12_000), 2_500);
  t.equal(members.gone("b", 3_000), null);
  t.equal(members.gone("b", 4_499), null);
  t.equal(members.gone("b", 4_500), "session");
});

t.test("rule 4: the grace begins anew in another run of the server, and after a gap in one's own sight", async (t) => {
  const members = open();
  members.see(missing(1_000, 9_000), 1_000);
  members.see(missing(2_500, 9_000, 2), 2_500);
  t.equal(members.gone("b", 3_000), null);
  members.lostSight();
  members.see(missing(4_000, 9_000, 2), 4_000);
  t.equal(members.gone("b", 5_000), null);
  t.equal(members.gone("b", 6_000), "session");
});

t.test("R-CLU-1: a lease that is over needs no grace, and who is not there has none", async (t) => {
  const members = open();
  members.see(view(1_000, [row("a"), row("b", { leaseLeftMs: 0 })]), 1_000);
  t.equal(members.gone("b", 1_000), "lease");
  t.equal(members.gone("c", 1_000), "lease");
  t.equal(members.gone("a", 1_000), null, "oneself is judged by one's own deadline");
});

t.test(
  "rule 4: a promise begins the patience anew, and a view that was asked for before does not bring it back",
  async (t) => {
    const members = open();
    members.see(missing(1_000, 9_000), 1_000);
    members.promise(["b", "stranger"]);
    t.equal(members.gone("b", 3_000), null);
    members.see(missing(2_500, 9_000), 2_600);
    t.equal(members.gone("b", 4_599), null);
    t.equal(members.gone("b", 4_600), "session");
  },
);

t.test("rule 4: a missing session counts only between two that know each other's newest session", async (t) => {
  const members = open();
  const between = (own: Partial<MemberRow>, its: Partial<MemberRow>): ClusterView =>
    view(1_000, [row("a", own), row("b", { hasSession: false, leaseLeftMs: 9_000, ...its })]);
  for (const [own, its, gone] of [
    [{ joined: 5, seen: 7 }, { joined: 7, seen: 5 }, "session"],
    [{ joined: 5, seen: 7 }, { joined: 7, seen: 4 }, null],
    [{ joined: 5, seen: 6 }, { joined: 7, seen: 5 }, null],
    [{ joined: 5, seen: 9 }, { joined: 7, seen: 9 }, "session"],
  ] as const) {
    members.lostSight();
    members.see(between(own, its), 1_000);
    t.equal(members.gone("b", 3_000), gone, JSON.stringify([own, its]));
    t.equal(members.gone("b", 60_000) === "session", gone !== null, "however long it lasts");
  }
});

t.test("R-CLU-5: the others are those that a view showed with a session, whatever their state or lease", async (t) => {
  const members = open();
  const rows = [
    row("a"),
    row("b", { state: "draining" }),
    row("c", { leaseLeftMs: -1 }),
    row("d", { hasSession: false }),
  ];
  members.see(view(1_000, rows), 1_000);
  members.lostSight();
  t.same(
    members.others().map(({ node }) => node),
    ["b", "c"],
  );
});
