import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import {
  authorisationsOf,
  DECLINING_METHOD,
  defaultHttpProviderSettings,
  defaultSandboxSettings,
  httpPaymentProvider,
  inProcessProvider,
  PaymentRefused,
  PaymentUnavailable,
  paymentEffect,
  readSandboxLedger,
  type SandboxSettings,
  startSandbox,
  startSandboxProcess,
} from "./mod.js";
import { createBook, type Operation } from "./sandbox/book.js";

const authorise = (n: number, method = "card") =>
  ({ key: `o${n}:authorise:1`, orderId: `o${n}`, amountMinor: 1_000, currency: "COP", method }) as const;
const on = (n: number, step: string) =>
  ({ key: `o${n}:${step}:1`, orderId: `o${n}`, authoriseKey: `o${n}:authorise:1` }) as const;

async function withSandbox(
  changes: Partial<SandboxSettings>,
  run: (provider: ReturnType<typeof httpPaymentProvider>, ledgerPath: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "payments-"));
  const ledgerPath = join(folder, "ledger.jsonl");
  const quick = { latencyMinMs: 0, latencyMaxMs: 2, ...changes };
  const sandbox = await startSandbox({ ...defaultSandboxSettings, ledgerPath, ...quick }, systemClock());
  const provider = httpPaymentProvider({ ...defaultHttpProviderSettings, url: sandbox.url, timeoutMs: 400 });
  try {
    await run(provider, ledgerPath);
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true });
  }
}

t.test("R-PAY-1: authorise, capture, refund; decline; void", async (t) => {
  await withSandbox({}, async (provider, ledgerPath) => {
    t.match(await provider.authorise(authorise(1)), { outcome: "authorised" });
    t.same(await provider.capture({ ...on(1, "capture"), amountMinor: 1_000 }), {
      outcome: "captured",
      amountMinor: 1_000,
    });
    t.same(await provider.refund({ ...on(1, "refund"), amountMinor: 400 }), { outcome: "refunded", amountMinor: 400 });
    await t.rejects(provider.refund({ ...on(1, "refund2"), amountMinor: 601 }), PaymentRefused, "refunds ≤ captures");
    t.match(await provider.authorise(authorise(2, DECLINING_METHOD)), { outcome: "declined" });
    await t.rejects(provider.capture({ ...on(2, "capture"), amountMinor: 1 }), PaymentRefused);
    t.match(await provider.authorise(authorise(3)), { outcome: "authorised" });
    t.same(await provider.void(on(3, "void")), { outcome: "voided" });
    await t.rejects(provider.capture({ ...on(3, "capture"), amountMinor: 1 }), PaymentRefused, "void is void");
    t.same(await provider.lookup("o3:void:1"), { outcome: "voided" });
    t.equal(await provider.lookup("never"), null);
    t.equal((await readSandboxLedger(ledgerPath)).length, 6, "refusals leave no line");
  });
});

t.test("rule 2: the same operation many times at once is one line of the ledger", async (t) => {
  await withSandbox({ duplicateRate: 0.5 }, async (provider, ledgerPath) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => provider.authorise(authorise(1))));
    for (const answer of answers) t.same(answer, answers[0]);
    t.equal((await readSandboxLedger(ledgerPath)).length, 1);
    await t.rejects(provider.authorise({ ...authorise(1), amountMinor: 1 }), PaymentRefused, "one key, one operation");
  });
});

t.test("rule 8: an authorisation voided before it arrives holds nothing when it does", async (t) => {
  await withSandbox({}, async (provider, ledgerPath) => {
    t.same(await provider.void(on(1, "void")), { outcome: "voided" });
    t.same(await provider.authorise(authorise(1)), { outcome: "declined", reason: "voided" });
    const held = authorisationsOf(await readSandboxLedger(ledgerPath));
    t.match(held.get("o1:authorise:1"), { authorisedMinor: 0, voided: true });
  });
});

t.test("R-PAY-1: errors, lost and late answers are ridden out, and nothing happens twice", async (t) => {
  const faults = { errorRate: 0.2, lostRate: 0.2, lateRate: 0.1, lateMs: 900, duplicateRate: 0.2, seed: 5 };
  await withSandbox(faults, async (provider, ledgerPath) => {
    const effect = paymentEffect(provider);
    const again = async (input: object): Promise<unknown> => {
      for (let attempt = 1; ; attempt++) {
        try {
          const request = { effectId: "", actor: { kind: "order", key: "" }, key: "", input: { ...input }, attempt };
          return await effect(request);
        } catch (error) {
          if (!(error instanceof PaymentUnavailable) || attempt > 20) throw error;
        }
      }
    };
    const orders = Array.from({ length: 25 }, (_, index) => `o${index}`);
    await Promise.all(
      orders.map(async (orderId) => {
        const base = { orderId, n: 1, amountMinor: 700 };
        await again({ ...base, step: "authorise", currency: "COP", method: "card" });
        await again({ ...base, step: "capture" });
      }),
    );
    const entries = await readSandboxLedger(ledgerPath);
    t.equal(entries.length, 50, "one line for each step of each order");
    for (const held of authorisationsOf(entries).values()) {
      t.equal(held.authorisedMinor, 700);
      t.equal(held.capturedMinor, 700);
    }
  });
});

t.test("R-PAY-1: a provider that is not there is `PaymentUnavailable`, and the circuit opens", async (t) => {
  const provider = httpPaymentProvider({
    ...defaultHttpProviderSettings,
    url: "http://127.0.0.1:9",
    repeats: 0,
    breakAfter: 2,
    openMs: 60_000,
  });
  for (let i = 0; i < 2; i++) await t.rejects(provider.authorise(authorise(i)), PaymentUnavailable);
  await t.rejects(provider.authorise(authorise(3)), { name: "PaymentUnavailable", message: /breaker is open/ });
});

t.test("R-PAY-1, R-PAY-3: what is no answer to the question counts as none", async (t) => {
  let answer: unknown = null;
  const server = createServer((_request, response) => {
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { ...defaultHttpProviderSettings, url, repeats: 0, breakAfter: 1_000 };
  const effect = paymentEffect(httpPaymentProvider(settings));
  const run = (step: string) => {
    const input = { step, orderId: "o1", n: 1, amountMinor: 1_000, currency: "COP", method: "card" };
    return effect({ effectId: "", actor: { kind: "order", key: "o1" }, key: "", input, attempt: 1 });
  };
  const captured = (amountMinor: unknown) => ({ outcome: { outcome: "captured", amountMinor } });
  const nonsense: readonly unknown[] = [
    ...[null, [], 5, "ok", {}, { outcome: null }, { outcome: "authorised" }, { outcome: {} }],
    ...["pending", "requires_action", "constructor", 1].map((outcome) => ({ outcome: { outcome } })),
    ...[0, -1, 1_001, 1.5, "1000", undefined].map(captured),
    { refused: { code: 7 } },
  ];
  for (const said of nonsense) {
    answer = said;
    for (const step of ["authorise", "capture", "void", "refund"]) {
      await t.rejects(run(step), PaymentUnavailable, `${JSON.stringify(said)} to ${step}`);
    }
  }
  answer = { outcome: { outcome: "declined", reason: "x" } };
  await t.rejects(run("capture"), { message: /"declined"/ }, "the answer to another question; who looks is told which");
  for (const [step, other] of [
    ["capture", "refunded"],
    ["refund", "captured"],
    ["void", "authorised"],
    ["authorise", "voided"],
  ] as const) {
    answer = { outcome: { outcome: other, amountMinor: 1_000 } };
    await t.rejects(run(step), PaymentUnavailable, `${other} is no ${step}`);
  }
  answer = { outcome: { outcome: "declined", reason: `\0${"🍕".repeat(99)}` } };
  const { reason } = (await run("authorise")) as { reason: string };
  t.match(reason, /^(🍕){49}/u, "what it says in words is cut to what can be kept");
  answer = captured(400);
  t.same(await run("capture"), { outcome: "captured", amountMinor: 400 }, "a part is a part");
});

t.test("R-PAY-1: the sandbox in its own process keeps its book through kill -9 and a torn line", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "payments-"));
  const path = join(folder, "ledger.jsonl");
  const fast = ["--latency-min", "0", "--latency-max", "1"];
  const first = await startSandboxProcess(path, fast);
  const one = httpPaymentProvider({ ...defaultHttpProviderSettings, url: first.url });
  const authorised = await one.authorise(authorise(1));
  const gone = new Promise((resolve) => first.process.once("exit", resolve));
  first.process.kill("SIGKILL");
  await gone;
  await writeFile(path, `${await readFile(path, "utf8")}{"number":2,"at":1,"oper`);
  const second = await startSandboxProcess(path, fast);
  const two = httpPaymentProvider({ ...defaultHttpProviderSettings, url: second.url });
  t.same(await two.authorise(authorise(1)), authorised, "the same answer from the new process");
  t.same(await two.capture({ ...on(1, "capture"), amountMinor: 1_000 }), { outcome: "captured", amountMinor: 1_000 });
  await second.stop();
  const entries = await readSandboxLedger(path);
  t.same(
    entries.map(({ number, operation }) => [number, operation.op]),
    [
      [1, "authorise"],
      [2, "capture"],
    ],
  );
  await rm(folder, { recursive: true });
});

t.test("R-PAY-1: a sandbox started without a ledger says what is missing and ends", async (t) => {
  const { spawnSync } = await import("node:child_process");
  const { fileURLToPath } = await import("node:url");
  const script = fileURLToPath(new URL("./sandbox/main.js", import.meta.url));
  const ended = spawnSync(process.execPath, [script], { encoding: "utf8" });
  t.not(ended.status, 0);
  t.match(ended.stderr, /--ledger FILE is needed/);
});

const operation: fc.Arbitrary<Operation> = fc
  .record({
    op: fc.constantFrom("authorise", "capture", "refund", "void"),
    key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    authoriseKey: fc.constantFrom("a", "b", "c"),
    amountMinor: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ op, key, authoriseKey, amountMinor }): Operation => {
    const orderId = "o";
    if (op === "authorise") return { op, key, orderId, amountMinor, currency: "COP", method: "card" };
    return op === "void" ? { op, key, orderId, authoriseKey } : { op, key, orderId, authoriseKey, amountMinor };
  });

t.test("rules 8 and 9: whatever is asked, captured ≤ authorised and refunded ≤ captured", async (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(operation, fc.boolean()), { maxLength: 60 }), (asked) => {
      const book = createBook();
      const twin = createBook();
      for (const [one, decline] of asked) {
        const before = book.authorisations().get("authoriseKey" in one ? one.authoriseKey : "");
        const answer = book.apply(one, 0, decline);
        if (answer.ok && answer.entry !== null) twin.replay(answer.entry);
        if (answer.ok && answer.entry !== null && one.op === "capture") {
          if (before?.voided) throw new Error("captured what was voided");
        }
        for (const held of book.authorisations().values()) {
          if (held.capturedMinor > held.authorisedMinor || held.refundedMinor > held.capturedMinor) {
            throw new Error(JSON.stringify(held));
          }
          if (held.voided && held.capturedMinor > 0) throw new Error("voided and captured");
        }
      }
      return JSON.stringify([...book.authorisations()]) === JSON.stringify([...twin.authorisations()]);
    }),
    { numRuns: 500 },
  );
  t.pass("500 histories, and each replays to the same book");
});

t.test("R-PAY-1: the book without a network keeps the same rules", async (t) => {
  const provider = inProcessProvider(() => 7);
  const effect = paymentEffect(provider);
  const run = (input: object) =>
    effect({ effectId: "e", actor: { kind: "order", key: "o" }, key: "k", input: { ...input }, attempt: 1 });
  const base = { orderId: "o", n: 1, amountMinor: 5 };
  t.match(await run({ ...base, step: "authorise", currency: "COP", method: "card" }), { outcome: "authorised" });
  t.match(await run({ ...base, step: "authorise", currency: "EUR", method: "card" }), { outcome: "declined" });
  t.match(await run({ ...base, step: "capture" }), { outcome: "captured", amountMinor: 5 });
  await t.rejects(run({ ...base, step: "void" }), PaymentRefused, "what is captured is refunded, not voided");
  t.match(await run({ ...base, step: "refund" }), { outcome: "refunded" });
  t.match(provider.book.authorisations().get("o:authorise:1"), { capturedMinor: 5, refundedMinor: 5 });
});
