import { connect } from "node:net";
import t from "tap";
import { ensureServers, findProgram, missing, type RunningServer, startNats, startRedis } from "./servers.js";

/** Sends one line and resolves with what comes back first; rejects when nobody listens. */
function ask(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(line));
    socket.once("error", reject).once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

t.test("real Redis servers run side by side and end by their own id", { skip: missing("redis") }, async (t) => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  t.teardown(() => Promise.all(servers.map((server) => server.stop())));
  t.equal(new Set(servers.map(({ port }) => port)).size, 3);
  for (const { port } of servers) t.match(await ask(port, "PING\r\n"), "+PONG");
  const [first, second, third] = servers as [RunningServer, RunningServer, RunningServer];
  await first.kill();
  await second.stop();
  await t.rejects(ask(first.port, "PING\r\n"));
  await t.rejects(ask(second.port, "PING\r\n"));
  t.match(await ask(third.port, "PING\r\n"), "+PONG", "the others live on");
  await second.stop();
});

t.test("a real NATS server with JetStream", { skip: missing("nats") }, async (t) => {
  const server = await startNats();
  t.teardown(() => server.stop());
  const hello = await ask(server.port, "");
  t.match(hello, /^INFO \{/);
  t.match(hello, '"jetstream":true');
});

t.test("a server that is there is not installed again", { skip: missing("redis") }, async (t) => {
  t.ok(findProgram("redis"));
  const said: string[] = [];
  t.strictSame(await ensureServers(["redis"], (line) => said.push(line)), []);
  t.strictSame(said, []);
});
