import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../../config/mod.js";
import { ofThisScenario } from "../harness/children.js";

export interface RunningNode {
  readonly url: string;
  readonly pid: number;
  readonly operatorSecret: string;
  stop(): Promise<void>;
  /** As a crash does. Its data stays. */
  kill(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));

/** Starts a node as its own process on a free port and waits until it says where it listens. */
export async function startNodeProcess(options: {
  dataDir: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  nodeOptions?: readonly string[];
}): Promise<RunningNode> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      "--enable-source-maps",
      ...(options.nodeOptions ?? []),
      ...[MAIN, "--port", "0", "--data-dir", options.dataDir, ...(options.args ?? [])],
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: options.env ?? childEnvironment() },
  );
  ofThisScenario(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout! });
  const listening = await new Promise<{ url: string; operatorSecretFile: string }>((resolve, reject) => {
    lines.on("line", (line) => {
      if (!line.startsWith('{"listening"')) return;
      const said = JSON.parse(line) as { listening: { url: string }; operatorSecretFile: string };
      resolve({ url: said.listening.url, operatorSecretFile: said.operatorSecretFile });
    });
    child.once("exit", (code) => reject(new Error(`The node ended with status ${code} before it listened.`)));
  });
  return {
    url: listening.url,
    pid: child.pid!,
    operatorSecret: readFileSync(listening.operatorSecretFile, "utf8").trim(),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Tokens for many principals, a thousand a call. */
export async function issueTokens(
  node: Pick<RunningNode, "url" | "operatorSecret">,
  principals: readonly { readonly id: string; readonly role: string }[],
): Promise<string[]> {
  const tokens: string[] = [];
  for (let from = 0; from < principals.length; from += 1000) {
    const answer = await fetch(`${node.url}/v1/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Operator ${node.operatorSecret}` },
      body: JSON.stringify({ principals: principals.slice(from, from + 1000), ttlSeconds: 7200 }),
    });
    if (!answer.ok) throw new Error(`POST /v1/tokens answered ${answer.status}: ${await answer.text()}`);
    tokens.push(...((await answer.json()) as { tokens: string[] }).tokens);
  }
  return tokens;
}
