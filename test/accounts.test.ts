/** Accounts on a real node: its own process with two gateway threads, real Postgres, real password hashes, real sockets. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { CLOSE, OP, type Session } from "../src/protocol/mod.js";
import { type OpenSocket, openSocket } from "./support/json-socket.js";

const MAIN = fileURLToPath(new URL("../src/main.js", import.meta.url));
const clock = systemClock();
const PASSWORD = "a long enough sentence";

async function startNode(t: Test): Promise<{ readonly url: string; readonly operatorSecret: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-accounts-"));
  const child: ChildProcess = spawn(
    process.execPath,
    [
      MAIN,
      "--port",
      "0",
      "--data-dir",
      dataDir,
      "--log-level",
      "error",
      "--node.drainMs",
      "0",
      "--node.gatewayThreads",
      "1",
      "--gateway.gpsPerMinute",
      "6000",
      "--gateway.gpsBurst",
      "1000",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.teardown(async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(dataDir, { recursive: true, force: true });
  });
  const line = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    exited.then(() => reject(new Error("the node ended before it was ready")));
  });
  const said = JSON.parse(line) as { listening: { url: string }; operatorSecretFile: string };
  return { url: said.listening.url, operatorSecret: readFileSync(said.operatorSecretFile, "utf8").trim() };
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

t.test(
  "R-ADM-2 R-ACC-2: banned, a driver's sockets close on every thread and no token of theirs is taken",
  async (t) => {
    const { url, operatorSecret } = await startNode(t);
    let keys = 0;
    async function ask(method: string, path: string, token: string | null, body?: unknown): Promise<Answer> {
      const answer = await fetch(url + path, {
        method,
        headers: {
          "content-type": "application/json",
          "idempotency-key": `key-${++keys}`,
          ...(token === null ? {} : { authorization: token }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    }
    const issued = await ask("POST", "/v1/tokens", `Operator ${operatorSecret}`, {
      principals: [{ id: "root", role: "admin" }],
      ttlSeconds: 600,
    });
    const admin = `Bearer ${issued.body.tokens[0]}`;
    const person = { email: "dan@example.com", password: PASSWORD };
    const application = { role: "driver", vehicle: "scooter", documents: [] };
    const customer = (await ask("POST", "/v1/accounts", null, { ...person, application })).body as Session;
    t.match(await ask("POST", "/v1/auth/sign-in", null, { ...person, password: "not the right one" }), {
      status: 401,
      body: { error: { code: "wrong_credentials" } },
    });
    const { applications } = (await ask("GET", "/v1/applications", admin)).body;
    t.match(await ask("POST", `/v1/applications/${applications[0].applicationId}/approve`, admin, {}), { status: 200 });
    const driver = (await ask("POST", "/v1/auth/sign-in", null, { ...person, role: "driver" })).body as Session;
    t.match(driver, { role: "driver", principalId: customer.accountId });

    const sockets = await Promise.all(
      ["a", "b", "c", "d"].map((device) => openSocket(url, driver.accessToken, device)),
    );
    const bystander = await openSocket(
      url,
      (await ask("POST", "/v1/accounts", null, { ...person, email: "b@example.com" })).body.accessToken,
      "x",
    );

    // Positions are taken from those who consent, by every thread, and from nobody else.
    const fixes = () => [OP.gps, "boot", 0, clock.now(), [[0, 4.65, -74.08, 5, -1, -1]]];
    const isLetThrough = async (socket: OpenSocket): Promise<boolean> => {
      socket.send(fixes());
      const answer = await socket.next(OP.err, OP.gpsAck);
      // Who is not on shift is told so by their own actor, which is behind this door.
      return answer[2] !== "consent_missing";
    };
    const bearer = `Bearer ${driver.accessToken}`;
    for (const socket of sockets) await until(async () => !(await isLetThrough(socket)));
    // Beginning a shift says where one is.
    const online = () =>
      ask("POST", "/v1/drivers/me/online", bearer, { name: "Ada", vehicle: "car", lat: 4.65, lng: -74.08 });
    t.match(await online(), { status: 403, body: { error: { code: "consent_missing" } } });
    t.match(await ask("PUT", "/v1/me/consents/location", bearer, { given: true }), { status: 200 });
    for (let i = 0; i < 8; i++) t.match(await online(), { status: 200 }, "whichever thread answers");
    for (const socket of sockets) await until(() => isLetThrough(socket));

    t.match(await ask("POST", `/v1/accounts/${driver.accountId}/ban`, admin, { reason: "drove off with a pizza" }), {
      status: 200,
      body: { state: "banned" },
    });
    t.same(
      await Promise.all(sockets.map(({ closed }) => closed)),
      sockets.map(() => CLOSE.forbidden),
    );
    // Whichever thread answers.
    await until(async () =>
      (await Promise.all(Array.from({ length: 6 }, () => ask("GET", "/v1/me", bearer)))).every(
        ({ status }) => status === 401,
      ),
    );
    t.match(await ask("POST", "/v1/auth/refresh", null, { refreshToken: driver.refreshToken }), {
      status: 401,
      body: { error: { code: "session_ended" } },
    });
    t.match(await ask("POST", "/v1/auth/sign-in", null, person), {
      status: 403,
      body: { error: { code: "account_banned" } },
    });
    t.match(await ask("GET", `/v1/audit?subject=account/${driver.accountId}`, admin), {
      body: { entries: [{ action: "account.ban", reason: "drove off with a pizza", principalId: "root" }] },
    });
    bystander.send([OP.sub, 1, "nonsense"]);
    t.match(await bystander.next(OP.err), [OP.err, 1], "nobody else was closed");
  },
);

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(clock, 50);
}
