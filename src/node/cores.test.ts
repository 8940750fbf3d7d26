import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { loadConfig } from "../../config/mod.js";
import { usableCores } from "./cores.js";
import { planThreads } from "./plan.js";

/** What a kernel shows to a process: its groups, and the files of those. */
function shown(t: Test, groups: string, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "swift-eats-cores-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const root = join(folder, "cgroup");
  for (const [name, text] of Object.entries({ "../groups": groups, ...files })) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  }
  return { ofProcess: join(folder, "groups"), root };
}

t.test("R-OPS-2: a container's share of the processors counts, whichever way the kernel tells of it", async (t) => {
  const of = (groups: string, files: Readonly<Record<string, string>>): number =>
    usableCores(32, shown(t, groups, files));
  t.equal(of("0::/", { "cpu.max": "200000 100000" }), 2, "a container of its own");
  t.equal(of("0::/", { "cpu.max": "max 100000" }), 32, "without a limit");
  t.equal(of("0::/", {}), 32, "at the top of a machine there is no such file");
  t.equal(of("0::/", { "cpu.max": "350000 100000" }), 3, "what is left of a core is no thread's");
  t.equal(of("0::/", { "cpu.max": "25000 100000" }), 1, "less than one is one");
  t.equal(
    of("0::/pods/pod-1/node", { "pods/cpu.max": "max 100000", "pods/pod-1/cpu.max": "400000 100000" }),
    4,
    "the limit of a group around it",
  );
  t.equal(of("0::/host/path/of/it", { "cpu.max": "200000 100000" }), 2, "a path that only the host can see");
  const older = "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/";
  t.equal(of(older, { "cpu,cpuacct/cpu.cfs_quota_us": "150000", "cpu,cpuacct/cpu.cfs_period_us": "50000" }), 3);
  t.equal(of(older, { "cpu/docker/1/cpu.cfs_quota_us": "200000", "cpu/docker/1/cpu.cfs_period_us": "100000" }), 2);
  t.equal(of(older, { "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000" }), 32, "without a limit");
});

t.test(
  "R-OPS-2: a limit above the machine gives no more than it has, and no kernel's word changes nothing",
  async (t) => {
    t.equal(usableCores(4, shown(t, "0::/", { "cpu.max": "6400000 100000" })), 4);
    t.equal(usableCores(4, { ofProcess: "/nowhere/cgroup", root: "/nowhere" }), 4);
    t.ok(usableCores() >= 1 && usableCores() <= availableParallelism());
  },
);

t.test("R-OPS-2: two cores of a large machine are given the threads of two", async (t) => {
  const config = loadConfig({ argv: [], env: {} });
  const cores = usableCores(32, shown(t, "0::/", { "cpu.max": "200000 100000" }));
  t.same(planThreads(config, cores), { shardWorkers: 1, gatewayThreads: 0 });
});
