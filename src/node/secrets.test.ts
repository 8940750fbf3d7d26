/** Replacing the master key, again and again, and still reading what is old. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { seededRandom } from "../lib/random.js";
import { createTextSeal } from "../lib/sealed-text.js";
import { loadSecrets } from "./secrets.js";

const [FIRST, SECOND, THIRD] = ["the first master key", "the second master key", "the third master key"];

t.test("R-ACC-4: after two changes of the master key, what the first one sealed still opens", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-secrets-"));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const random = seededRandom(1);
  const sealOf = (masterKey: string | undefined, previousMasterKey?: string) =>
    createTextSeal(
      loadSecrets(
        dataDir,
        {
          ...(masterKey === undefined ? {} : { masterKey }),
          ...(previousMasterKey === undefined ? {} : { previousMasterKey }),
        },
        random,
      ).masterSecrets,
      "doors",
      random,
    );
  const before = sealOf(undefined).seal("Harbour Street 1", "order/o0");
  const old = sealOf(FIRST).seal("Harbour Street 12", "order/o1");
  const middle = sealOf(SECOND, FIRST).seal("Harbour Street 40", "order/o2");
  const now = sealOf(THIRD, `${SECOND}, ${FIRST}`);
  t.equal(now.open(before, "order/o0"), "Harbour Street 1");
  t.equal(now.open(old, "order/o1"), "Harbour Street 12");
  t.equal(now.open(middle, "order/o2"), "Harbour Street 40");
  t.throws(() => sealOf(THIRD, SECOND).open(old, "order/o1"), "a key that was taken away opens nothing");
  t.not(now.seal("x", "c").split(".")[1], old.split(".")[1], "the newest seals");
});

t.test(
  "R-ACC-4, R-OPS-4: while a cluster changes its master key in two rounds, every node opens what any other seals",
  async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-secrets-"));
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
    const random = seededRandom(3);
    const orderIdSecret = "the secret of the order ids, which all nodes share";
    const sealOf = (given: { masterKey?: string; previousMasterKey?: string }) =>
      createTextSeal(loadSecrets(dataDir, { orderIdSecret, ...given }, random).masterSecrets, "doors", random);
    type Seal = ReturnType<typeof sealOf>;
    const opens = (reader: Seal, writer: Seal): boolean => {
      try {
        return reader.open(writer.seal("Harbour Street 12", "order/o1"), "order/o1") === "Harbour Street 12";
      } catch {
        return false;
      }
    };
    const changes = [
      [
        {},
        { masterKey: orderIdSecret, previousMasterKey: FIRST },
        { masterKey: FIRST, previousMasterKey: orderIdSecret },
      ],
      [
        { masterKey: FIRST },
        { masterKey: FIRST, previousMasterKey: SECOND },
        { masterKey: SECOND, previousMasterKey: FIRST },
      ],
    ].map((rounds) => rounds.map(sealOf));
    for (const rounds of changes) {
      const [before, learning, after] = rounds as [Seal, Seal, Seal];
      for (const [one, other] of [
        [before, learning],
        [learning, after],
      ] as const) {
        t.ok(opens(one, other) && opens(other, one));
      }
      t.notOk(opens(before, after), "which is why one round is not enough");
    }
  },
);

t.test("R-ACC-4: a master key with a comma in it opens what it sealed", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-secrets-"));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const random = seededRandom(2);
  const odd = "a key, with a comma in it";
  const secretsOf = (given: { masterKey: string; previousMasterKey?: string }) =>
    createTextSeal(loadSecrets(dataDir, given, random).masterSecrets, "doors", random);
  const old = secretsOf({ masterKey: odd }).seal("x", "c");
  t.equal(secretsOf({ masterKey: SECOND, previousMasterKey: odd }).open(old, "c"), "x");
});

t.test("R-OPS-2: nobody is told to remove what everything else is sealed with", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-secrets-"));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const random = seededRandom(3);
  loadSecrets(dataDir, {}, random);
  for (const [name, advice] of [
    ["order-id.secret", /Put back the right one, without it .* can never be read again/],
    ["signing-key.pem", /remove it to have a new one made .*invalid/],
    ["operator.secret", /remove it to have a new one made/],
  ] as const) {
    const file = join(dataDir, name);
    const before = readFileSync(file, "utf8");
    writeFileSync(file, "half");
    t.throws(() => loadSecrets(dataDir, {}, random), { message: advice }, name);
    writeFileSync(file, before);
  }
});

t.test("R-ACC-2: an operator's secret that the configuration gave once still opens without it", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-secrets-"));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const operatorSecret = "sixteen-letters!";
  loadSecrets(dataDir, { operatorSecret }, seededRandom(4));
  t.equal(loadSecrets(dataDir, {}, seededRandom(5)).operatorSecret, operatorSecret);
});
