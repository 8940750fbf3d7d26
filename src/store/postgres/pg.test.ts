import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";

t.test("to read the database's client reads no HTTP client, and leaves no navigator behind", async (t) => {
  const program = `
    const before = "navigator" in globalThis;
    import(${JSON.stringify(new URL("./pg.js", import.meta.url).href)}).then(({ default: pg }) => {
      const undici = process.moduleLoadList.filter((name) => name.includes("undici/undici"));
      console.log(JSON.stringify({ client: typeof pg.Client, undici, same: before === "navigator" in globalThis }));
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program]);
  t.same(JSON.parse(stdout), { client: "function", undici: [], same: true });
});
