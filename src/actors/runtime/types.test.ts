/**
 * What must not compile. Each `@ts-expect-error` is checked by the build itself: were the next line legal, the build
 * would fail. The test below also compiles the lines without the marks and counts the errors.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import type { ActorClient } from "./client.js";
import { type ActorContext, actorRef, defineActor } from "./definition.js";

type LampContract = {
  dim: { input: { percent: number }; reply: { percent: number } };
  off: { input: null; reply: null };
};
const LampRef = actorRef<LampContract>("lamp");
interface LampState {
  readonly percent: number;
}

export const Lamp = defineActor<LampContract, LampState>({
  ref: LampRef,
  version: 1,
  durability: "commit",
  idleMs: 1_000,
  init: () => ({ percent: 0 }),
  commands: {
    dim(ctx, { percent }) {
      ctx.become({ percent });
      return { percent };
    },
    off(ctx) {
      ctx.become({ percent: 0 });
      return null;
    },
  },
});

/** Never called: only compiled. */
export function wrongUses(client: ActorClient, ctx: ActorContext<LampState>): void {
  const options = { commandId: "c", caller: { id: "u", role: "user" } };
  // @ts-expect-error R-ENG-11: there is no such command.
  void client.ask(LampRef, "l", "brighten", { percent: 1 }, options);
  // @ts-expect-error R-ENG-11: the payload has another shape.
  void client.ask(LampRef, "l", "dim", { level: 1 }, options);
  // @ts-expect-error R-ENG-11: a field has another type.
  ctx.tell(LampRef, "l", "dim", { percent: "1" });
  // @ts-expect-error R-ENG-11: a cast is as typed as a tell.
  ctx.cast(LampRef, "l", "off", { percent: 1 });
  // @ts-expect-error R-ENG-11: a state of another shape.
  ctx.become({ percent: 1, colour: "red" });
  // @ts-expect-error R-ENG-11: the state is immutable.
  ctx.state.percent = 3;
  // @ts-expect-error R-ENG-11: the reply has another type.
  void client.ask(LampRef, "l", "off", null, options).then((r) => r.ok && r.value.percent);
}

/** Definitions that must not compile: a command too few, one too many, a wrong reply. */
export const wrongDefinitions = (): void => {
  const rest = { ref: LampRef, version: 1, durability: "commit", idleMs: 1, init: () => ({ percent: 0 }) } as const;
  const dim = (_: ActorContext<LampState>, input: { percent: number }) => input;
  const off = (): null => null;
  // @ts-expect-error R-ENG-11: the command `off` has no handler.
  defineActor<LampContract, LampState>({ ...rest, commands: { dim } });
  // @ts-expect-error R-ENG-11: the contract knows no `on`.
  defineActor<LampContract, LampState>({ ...rest, commands: { dim, off, on: off } });
  // @ts-expect-error R-ENG-11: `dim` must answer with a percentage.
  defineActor<LampContract, LampState>({ ...rest, commands: { dim: () => "dimmed", off } });
};

// The end of what the test compiles without its marks.
t.test("R-ENG-11: a wrong command name or payload does not compile", (t) => {
  const root = rootOf(dirname(fileURLToPath(import.meta.url)));
  const runtime = join(root, "src/actors/runtime");
  const source = readFileSync(join(runtime, "types.test.ts"), "utf8");
  const lines = source.slice(source.indexOf("type LampContract"), source.indexOf("// The end of what")).split("\n");
  const mark = /^\s*\/\/ @ts-expect-error R-ENG-11/;
  const expected = lines.filter((line) => mark.test(line)).length;
  t.ok(expected >= 10);
  const folder = mkdtempSync(join(tmpdir(), "swift-eats-types-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const imports = [
    `import type { ActorClient } from "${runtime}/client.js";`,
    `import { type ActorContext, actorRef, defineActor } from "${runtime}/definition.js";`,
  ];
  const unmarked = [...imports, ...lines.filter((line) => !mark.test(line))].join("\n");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "unmarked.ts"), unmarked);
  const compilerOptions = { noEmit: true, incremental: false, tsBuildInfoFile: null, rootDir: "/", types: [] };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["unmarked.ts"], exclude: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const run = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  const errors = run.stdout.split("\n").filter((line) => line.includes("error TS"));
  t.equal(errors.filter((line) => line.includes("unmarked.ts")).length, expected, run.stdout);
  t.equal(errors.length, expected, run.stdout);
  t.end();
});

function rootOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    try {
      readFileSync(join(at, "tsconfig.json"));
      return at;
    } catch {
      if (dirname(at) === at) throw new Error("No tsconfig.json above the test");
    }
  }
}
