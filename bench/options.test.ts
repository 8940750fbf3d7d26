/** Programs that run for long say at once what is wrong with their options. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

interface End {
  readonly code: number;
  readonly said: string;
}

const start = (program: string, ...options: string[]): Promise<End> =>
  new Promise((resolve) => {
    const main = fileURLToPath(new URL(program, import.meta.url));
    execFile(process.execPath, [main, ...options], { timeout: 30_000 }, (error, _, said) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, said }),
    );
  });

t.test("R-BEN-1 R-SIM-2: no run begins whose length is no number, or whose result could not be written", async (t) => {
  const nowhere = join(t.testdir(), "missing", "result.json");
  const [bench, simulate] = [
    await start("main.js", "--seconds", "x"),
    await start("../simulator/virtual/main.js", "--seeds", "1", "--json", nowhere),
  ];
  t.match(bench, { code: 1, said: /'x' is invalid. give a number above zero/ });
  t.match(simulate, { code: 2, said: /there is no folder .*missing/ }, "1 would say that a rule was broken");
});
