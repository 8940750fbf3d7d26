import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { container, engineAnswers } from "./docker.js";
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

t.test("where Docker runs a server, it is the one on our port, and ends by its name", async (t) => {
  // A stand-in for the engine: it writes down what it was asked, and says what a server says.
  const directory = mkdtempSync(join(tmpdir(), "swift-eats-docker-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const docker = join(directory, "docker");
  writeFileSync(
    docker,
    `#!/bin/sh\necho "$@" >> ${directory}/asked\n[ "$1" != info ] || exit $(cat ${directory}/down 2>/dev/null || echo 0)\n`,
  );
  chmodSync(docker, 0o755);
  t.equal(engineAnswers(docker), true);
  writeFileSync(join(directory, "down"), "1");
  t.equal(engineAnswers(docker), false, "an engine that is down is none");
  t.equal(engineAnswers(join(directory, "nothing")), false);
  const box = container("redis", 4711, 6379, ["redis-server", "--save", ""], docker);
  const name = /--name (\S+)/.exec(box.words.join(" "))?.[1] ?? "";
  t.match(box.words.join(" "), `--publish 127.0.0.1:4711:6379 redis redis-server --save`);
  t.not(name, /--name (\S+)/.exec(container("redis", 4711, 6379, []).words.join(" "))?.[1], "each has its own name");
  const file = box.words[box.words.indexOf("--file") + 1]!;
  for (const service of ["redis", "nats"]) t.match(readFileSync(file, "utf8"), new RegExp(`^ {2}${service}:$`, "m"));
  box.signal("SIGKILL");
  t.match(readFileSync(join(directory, "asked"), "utf8"), `kill --signal SIGKILL ${name}`);
});
