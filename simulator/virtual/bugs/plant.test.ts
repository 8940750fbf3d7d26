import { fileURLToPath } from "node:url";
import t from "tap";
import { Tills } from "./fixtures/tills.js";
import { createPlanter } from "./plant.js";

const FILE = fileURLToPath(new URL("./fixtures/tills.js", import.meta.url));
const till = new Tills();

t.test("R-SIM-2: what is loaded and has run is changed in place, and is afterwards as it was", async (t) => {
  const planter = await createPlanter();
  t.equal(till.add(1), 1);
  const mend = await planter.plant([
    { file: FILE, find: "this.#sum += amount;", replace: "this.#sum += 10 * amount;" },
    { file: FILE, find: "return this.add(amount);", replace: "return -this.add(amount);" },
  ]);
  t.equal(till.add(1), 11, "an object that was there before, and its private state");
  t.equal(new Tills().addTwice(1), -20);
  await mend();
  t.equal(till.add(1), 12);
  t.equal(new Tills().addTwice(1), 2);
  planter.close();
});

t.test("R-SIM-2: a patch that does not fit, or is of something that is not loaded, changes nothing", async (t) => {
  const planter = await createPlanter();
  const fits = { file: FILE, find: "this.#sum += amount;", replace: "this.#sum += 10 * amount;" };
  await t.rejects(planter.plant([fits, { file: FILE, find: "no such text", replace: "" }]), /0 times/);
  await t.rejects(planter.plant([fits, { ...fits, file: `${FILE}.other` }]), /not part of what the simulation runs/);
  t.equal(new Tills().add(1), 1);
  planter.close();
});

t.test("R-SIM-2: what is under way cannot be changed, and says so", async (t) => {
  const planter = await createPlanter();
  let open: () => void = () => {};
  const waiting = new Tills().addWhen(
    1,
    new Promise<void>((resolve) => {
      open = resolve;
    }),
  );
  const patch = { file: FILE, find: "await gate;", replace: "await gate; amount++;" };
  await t.rejects(planter.plant([patch]), { name: "UnderWay" });
  open();
  t.equal(await waiting, 1);
  planter.close();
});

t.test("R-SIM-2: what is no program is an error, and nothing is changed", async (t) => {
  const planter = await createPlanter();
  const patch = { file: FILE, find: "this.#sum += amount;", replace: "this is no program" };
  await t.rejects(planter.plant([patch]), /cannot be changed: CompileError/);
  t.equal(new Tills().add(1), 1);
  planter.close();
});
