/** The document that walks an evening by curl, run as it stands against a real node. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { processEnvironment } from "../config/mod.js";
import { OwnNode } from "../simulator/live/mod.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";
import { readText } from "./support/project.js";

const DOCUMENT = "docs/EVENING.md";
const TIMEOUT_MS = 170_000;

/** The document's commands as a program: what stands behind `# →` has to be what the line before it says. */
function scriptOf(text: string): { readonly script: string; readonly expectations: number } {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  let expectations = 0;
  const lines = blocks.join("\n").split("\n");
  const program = lines.map((line) => {
    const parts = line.split(" # → ");
    if (parts.length === 1) return line;
    expectations++;
    const wanted = (parts[1] ?? "").replaceAll("'", "'\\''");
    return `expect '${wanted}' "$(${parts[0]})" ${expectations}`;
  });
  const expect = `expect() { if [ "$1" = "$2" ]; then echo "ok $3"; else echo "expectation $3 wanted: $1 got: $2" >&2; exit 1; fi; }`;
  return { script: ["set -euo pipefail", expect, ...program].join("\n"), expectations };
}

t.test("R-RAT-1 R-TRK-5 R-ACC-1: the evening by curl goes as the document says", { timeout: TIMEOUT_MS }, async (t) => {
  const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-evening-"))), "postgres");
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const node = new OwnNode({ dataDir, timeScale: 1, onRestart: (how) => t.fail(`the node ended: ${how}`) });
  t.teardown(() => node.stop());
  const { url, operatorSecretFile } = await node.start();
  const { script, expectations } = scriptOf(readText(DOCUMENT));
  t.ok(expectations > 15, `${expectations} answers are compared`);
  const child = spawn("bash", ["-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that the stream it follows ends with it.
    detached: true,
    env: {
      ...processEnvironment(),
      NODE: url,
      SECRET: readFileSync(operatorSecretFile, "utf8").trim(),
      STREAM: join(dataDir, "stream.txt"),
    },
  });
  t.teardown(() => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    } catch {
      // It has ended in order.
    }
  });
  let said = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  t.equal(status, 0, said);
  t.match(said, `ok ${expectations}`);
});
