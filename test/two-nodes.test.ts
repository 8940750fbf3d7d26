/**
 * Two real nodes on real servers: whose right to be there ends at one is shown out by the other, and what closes or sells
 * out by one node's word leaves the results of the other.
 */
import t, { type Test } from "tap";
import { createHttp } from "../sdk/node.js";
import { type LocalNode, startLocalCluster } from "../simulator/cluster/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { OP } from "../src/protocol/mod.js";
import { openSocket } from "./support/json-socket.js";
import { missingProgram } from "./support/servers.js";

const clock = systemClock();
const PAUSE_MS = 20;
const RESTAURANT = "osteria";
const PROFILE = {
  name: "Osteria",
  lat: 50.85,
  lng: 4.35,
  currency: "EUR",
  items: [{ itemId: "soup", name: "Soup", priceMinor: 700, prepMinutes: 5 }],
};

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(clock, PAUSE_MS);
};

t.test(
  "R-ADM-2, R-ACC-2, R-SRC-2: who is banned at one node is shown out by the other, and what closes at one is not found at the other",
  { skip: missingProgram("nats") || missingProgram("redis"), timeout: 170_000 },
  async (t) => {
    const cluster = await startLocalCluster({ nodes: 2, proxies: false, drainMs: 0 });
    t.teardown(() => cluster.stop());
    const [here, there] = cluster.nodes as [LocalNode, LocalNode];
    const { operatorSecret } = cluster;
    const [adminToken, kitchenToken] = (await createHttp({ url: here.url }).issueTokens({
      operatorSecret,
      principals: [
        { id: "root", role: "admin" },
        { id: RESTAURANT, role: "restaurant" },
      ],
      ttlSeconds: 600,
    })) as [string, string];
    await endedAtOneNode(t, here, there, adminToken);
    await closedAtOneNode(t, here, there, adminToken, kitchenToken);
  },
);

/** Milliseconds, in the test's words: what is asserted is that it happens, `bench/` says how fast. */
async function timed(t: Test, what: string, happens: () => Promise<unknown>): Promise<void> {
  const began = clock.monotonic();
  await happens();
  t.pass(`${what}: ${Math.round(clock.monotonic() - began)} ms`);
}

/** R-ADM-2, R-ACC-2: whose right to be there ends at one node is shown out by the other. */
async function endedAtOneNode(t: Test, here: LocalNode, there: LocalNode, adminToken: string): Promise<void> {
  let keys = 0;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  async function ask(authorization: string, method: string, path: string, body: unknown): Promise<any> {
    const headers = { "content-type": "application/json", "idempotency-key": `end-${++keys}` };
    const answer = await fetch(here.url + path, {
      method,
      headers: authorization === "" ? headers : { ...headers, authorization },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.json();
  }
  const admin = `Bearer ${adminToken}`;
  const password = "a long enough sentence";
  const reason = "seen at the other node";
  const join = async (name: string, role: "customer" | "driver") => {
    const email = `${name}@example.com`;
    const { accountId } = await ask("", "POST", "/v1/accounts", { email, password });
    if (role === "driver") await ask(admin, "PUT", `/v1/accounts/${accountId}/roles/driver`, { reason });
    const session = await ask("", "POST", "/v1/auth/sign-in", { email, password, role });
    return {
      accountId,
      bearer: `Bearer ${session.accessToken}`,
      socket: await openSocket(there.url, session.accessToken, name),
    };
  };
  const [banned, driver, leaving, bystander] = await Promise.all([
    join("banned", "customer"),
    join("driver", "driver"),
    join("leaving", "customer"),
    join("bystander", "customer"),
  ]);
  const ends = {
    "a ban": [banned, () => ask(admin, "POST", `/v1/accounts/${banned.accountId}/ban`, { reason })],
    "a role's end": [driver, () => ask(admin, "POST", `/v1/accounts/${driver.accountId}/roles/driver/end`, { reason })],
    "signing out everywhere": [leaving, () => ask(leaving.bearer, "POST", "/v1/auth/sign-out-everywhere", {})],
  } as const;
  for (const [what, [{ socket, bearer }, end]] of Object.entries(ends)) {
    await end();
    await timed(t, `${what} closes the other node's socket`, async () => {
      t.ok((await socket.closed) >= 4000, "and says why");
    });
    await until(async () => (await fetch(`${there.url}/v1/me`, { headers: { authorization: bearer } })).status === 401);
  }
  bystander.socket.send([OP.sub, 1, "nonsense"]);
  t.match(await bystander.socket.next(OP.err), [OP.err, 1], "nobody else was closed");
}

/** R-SRC-2: what closes or sells out by one node's word leaves the results of the other. */
async function closedAtOneNode(
  t: Test,
  here: LocalNode,
  there: LocalNode,
  adminToken: string,
  kitchenToken: string,
): Promise<void> {
  const { lat, lng } = PROFILE;
  const found = async (query: string): Promise<boolean> => {
    const answer = await fetch(`${there.url}/v1/search?lat=${lat}&lng=${lng}&${query}`);
    const { restaurants } = (await answer.json()) as { readonly restaurants?: readonly { restaurantId: string }[] };
    return restaurants?.some(({ restaurantId }) => restaurantId === RESTAURANT) ?? false;
  };
  let keys = 0;
  /** Asked again under the same key for as long as it takes. */
  const say = async (path: string, body: object): Promise<void> => {
    const authorization = `Bearer ${kitchenToken}`;
    const headers = { authorization, "content-type": "application/json", "idempotency-key": `close-${++keys}` };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    await until(async () => (await fetch(here.url + path, request)).ok);
  };
  await createHttp({ url: here.url, token: adminToken }).configureRestaurant(RESTAURANT, PROFILE);
  await until(() => found("q=soop"));
  const changes = [
    ["a dish that sells out", "/v1/restaurants/me/items/soup", { available: false }, "q=soop", false],
    ["a dish that is there again", "/v1/restaurants/me/items/soup", { available: true }, "q=soop", true],
    ["a restaurant that closes", "/v1/restaurants/me/open", { open: false }, "q=osteria", false],
    ["a restaurant that opens", "/v1/restaurants/me/open", { open: true }, "q=osteria", true],
  ] as const;
  for (const [what, path, body, query, wanted] of changes) {
    await say(path, body);
    await timed(t, `${what} is known to the other node's search`, () =>
      until(async () => (await found(query)) === wanted),
    );
  }
}
