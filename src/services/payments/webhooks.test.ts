import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { sleep, systemClock } from "../../lib/clock.js";
import { seededRandom } from "../../lib/random.js";
import { createMemoryMethods } from "../../store/memory/mod.js";
import {
  createMethodService,
  defaultHttpProviderSettings,
  defaultSandboxSettings,
  EXPIRED_METHOD,
  httpPaymentProvider,
  httpProviderLedger,
  isSigned,
  methodReader,
  PaymentUnavailable,
  paymentEffect,
  paymentOperations,
  type SandboxSettings,
  SILENT_METHOD,
  SLOW_METHOD,
  signBody,
  startSandbox,
  tokenVault,
} from "./mod.js";

const clock = systemClock();
const SECRET = "a secret of the provider";
const bytes = (text: string): Uint8Array => Buffer.from(text);

t.test("R-PAY-1: a signature stands for these bytes, this time and this secret, and for nothing else", async (t) => {
  const header = signBody(SECRET, 1_000_000, bytes("body"));
  const good = (changes: { secrets?: string[]; header?: string; body?: string; now?: number } = {}) =>
    isSigned(
      changes.secrets ?? [SECRET],
      changes.header ?? header,
      bytes(changes.body ?? "body"),
      changes.now ?? 1_000_500,
      1_000,
    );
  t.ok(good());
  t.ok(good({ secrets: ["new", SECRET] }), "while a secret is replaced");
  t.ok(good({ secrets: [SECRET, "old"] }), "and while the old one is still known");
  t.ok(good({ now: 999_500 }), "their clock goes ahead");
  t.notOk(good({ body: "bodY" }));
  t.notOk(good({ secrets: ["new"] }));
  t.notOk(good({ secrets: [] }));
  t.notOk(good({ now: 1_001_001 }), "too old");
  t.notOk(good({ now: 998_999 }), "from the future");
  t.notOk(good({ header: header.replace("t=1000000", "t=1000001") }), "the time is signed too");
  for (const wrong of ["", "v1=00", `${header},v1=00`, header.slice(0, -1), header.toUpperCase(), "t=1,v1="]) {
    t.notOk(good({ header: wrong }), wrong);
  }
});

t.test("R-ACC-4, R-PAY-3: tokens are sealed for their customer and method, and saved once", async (t) => {
  const store = createMemoryMethods();
  const vault = tokenVault(["one secret"], seededRandom(1));
  const methods = createMethodService({ store, vault, clock });
  const saved = await methods.save("c", "key", "tok_secret", "Visa 4242");
  t.strictSame(await methods.save("c", "key", "tok_secret", "Visa 4242"), saved, "R-ORD-5");
  t.notMatch(JSON.stringify(await store.ofCustomer("c")), /tok_secret/);
  const read = methodReader(store, vault);
  t.equal(await read("c", saved!.id), "tok_secret");
  t.equal(await read("another", saved!.id), null);
  t.equal(await read("c", "card"), "card", "a word of the provider's own");
  const replaced = methodReader(store, tokenVault(["new secret", "one secret"], seededRandom(2)));
  t.equal(await replaced("c", saved!.id), "tok_secret", "an older secret still opens");
  await t.rejects(methodReader(store, tokenVault(["new secret"], seededRandom(2)))("c", saved!.id));
  t.throws(() => vault.open(saved!.sealedToken, "another/place"), "moved to another's row");
  for (let n = 0; n < 20; n++) await methods.save("c", `key-${n}`, "t", "l");
  t.equal((await methods.list("c")).length, 10);
  t.equal(await methods.save("c", "one more", "t", "l"), null);
});

async function withSandbox(changes: Partial<SandboxSettings>, run: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "webhooks-"));
  const quick = { ledgerPath: join(folder, "ledger.jsonl"), latencyMinMs: 0, latencyMaxMs: 1, ...changes };
  const sandbox = await startSandbox({ ...defaultSandboxSettings, ...quick }, clock);
  try {
    await run(sandbox.url);
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true });
  }
}

interface Heard {
  readonly body: Uint8Array;
  readonly signature: string;
}

/** Somebody who is told things; the first `refusals` calls are answered with an error. */
async function listener(refusals = 0) {
  const heard: Heard[] = [];
  let left = refusals;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.statusCode = left-- > 0 ? 503 : 200;
      if (response.statusCode === 200) {
        heard.push({ body: Buffer.concat(chunks), signature: String(request.headers["swift-eats-signature"]) });
      }
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  return { heard, url, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

const authorise = (n: number, method = "card") => ({
  key: `o${n}:authorise:1`,
  orderId: `o${n}`,
  amountMinor: 1_000,
  currency: "COP",
  method,
});

t.test("R-PAY-1: the sandbox tells what it did, signed, again when it was not heard, twice when told to", async (t) => {
  const ear = await listener(1);
  await withSandbox({ webhook: { url: ear.url, secret: SECRET }, webhookDuplicateRate: 1 }, async (url) => {
    const provider = httpPaymentProvider({ ...defaultHttpProviderSettings, url });
    await provider.authorise(authorise(1));
    await provider.authorise(authorise(1));
    while (ear.heard.length < 2) await sleep(clock, 10);
    for (const { body, signature } of ear.heard) {
      t.ok(isSigned([SECRET], signature, body, clock.now(), 60_000));
      t.match(JSON.parse(Buffer.from(body).toString()), {
        orderId: "o1",
        key: "o1:authorise:1",
        outcome: "authorised",
      });
    }
  });
  t.equal(ear.heard.length, 2, "a repeated operation is told as one");
  await ear.close();
});

t.test("R-PAY-1: cards in every mood, and the provider's own books", async (t) => {
  await withSandbox({ lateMs: 20 }, async (url) => {
    const provider = httpPaymentProvider({ ...defaultHttpProviderSettings, url, timeoutMs: 500, repeats: 0 });
    t.match(await provider.authorise(authorise(1, EXPIRED_METHOD)), { outcome: "declined", reason: "expired_card" });
    t.match(await provider.authorise(authorise(2, SLOW_METHOD)), { outcome: "authorised" });
    await t.rejects(provider.authorise(authorise(3, SILENT_METHOD)), PaymentUnavailable);
    t.equal(await provider.lookup("o3:authorise:1"), null);
    await provider.authorise(authorise(4));
    const on = { orderId: "o4", authoriseKey: "o4:authorise:1" };
    await provider.capture({ ...on, key: "o4:capture:1", amountMinor: 1_000 });
    const run = paymentEffect(provider);
    const refund = (number: number, amountMinor: number) => {
      const input = { step: "refund", orderId: "o4", n: 1, refund: number, amountMinor };
      return run({ effectId: "", actor: { kind: "order", key: "o4" }, key: "", input, attempt: 1 });
    };
    t.match(await refund(1, 300), { outcome: "refunded", amountMinor: 300 });
    t.match(await refund(1, 300), { outcome: "refunded", amountMinor: 300 }, "the same refund");
    t.match(await refund(2, 700), { outcome: "refunded" });
    t.match(await refund(3, 1), { outcome: "refused" }, "rule 9");
    const books = httpProviderLedger(url);
    const all = await books.movements({ from: 0, to: 1e15 }, 0, 10);
    t.strictSame(
      all.map(({ key, kind, amountMinor, currency }) => [key, kind, amountMinor, currency]),
      [
        ["o4:capture:1", "capture", 1_000, "COP"],
        ["o4:refund:1", "refund", 300, "COP"],
        ["o4:refund:2", "refund", 700, "COP"],
      ],
    );
    t.strictSame(await books.movements({ from: 0, to: 1e15 }, all[0]!.number, 1), [all[1]]);
    t.strictSame(await books.movements({ from: 0, to: 1 }, 0, 10), []);
    t.strictSame(await books.movementsOf(["o4:refund:2", "nothing"]), [all[2]]);
    t.strictSame(await books.held(), [{ currency: "COP", count: 1, amountMinor: 1_000 }]);
  });
  await t.rejects(httpProviderLedger("http://127.0.0.1:9").held(), PaymentUnavailable);
});

t.test("R-PAY-2: books that answer something else are books that do not answer", async (t) => {
  const good = { key: "k", orderId: "o", kind: "capture", currency: "EUR", amountMinor: 5, at: 1, number: 1 };
  let answer: unknown = { movements: [good] };
  const server = createServer((_request, response) => {
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const books = httpProviderLedger(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const movements = () => books.movements({ from: 0, to: 9 }, 0, 10);
  t.same(await movements(), [good]);
  const wrong = [{ amountMinor: "5" }, { amountMinor: -5 }, { amountMinor: 1.5 }, { at: null }, { kind: "payout" }];
  const movementsOf = (...all: unknown[]) => ({ movements: all });
  for (const said of [
    ...[null, {}, [], { movements: "none" }, { error: "who are you?" }, movementsOf(null)],
    ...wrong.map((change) => movementsOf(good, { ...good, ...change })),
  ]) {
    answer = said;
    await t.rejects(movements(), PaymentUnavailable, JSON.stringify(said));
    await t.rejects(books.movementsOf(["k"]), PaymentUnavailable);
    await t.rejects(books.held(), PaymentUnavailable);
  }
  answer = { error: "who are you?" };
  await t.rejects(movements(), /who are you/, "whoever looks is told what it was");
  answer = { held: [{ currency: "EUR", count: "1", amountMinor: 5 }] };
  await t.rejects(books.held(), PaymentUnavailable);
});

t.test(
  "R-PAY-1: only a proven word reaches an order, and one that cannot be told now is asked for again",
  async (t) => {
    const told: unknown[] = [];
    let temporary = false;
    const handlers = paymentOperations({
      methods: createMethodService({ store: createMemoryMethods(), vault: tokenVault(["s"], seededRandom(1)), clock }),
      orders: {
        ask: async (_to, key, _name, input, { commandId, caller }) => {
          told.push({ key, input, commandId, caller });
          return temporary ? { ok: false, error: { temporary: true } } : { ok: true };
        },
      },
      webhookSecrets: [SECRET],
      clock,
    });
    const hear = (event: object, secret = SECRET) => {
      const body = { id: "7", at: 1, orderId: "o", ...event };
      const raw = bytes(JSON.stringify(body));
      const call = { body, bytes: raw, headers: { signature: signBody(secret, clock.now(), raw), userAgent: "" } };
      return handlers["payments.webhook"](call as unknown as Parameters<(typeof handlers)["payments.webhook"]>[0]);
    };
    t.match(await hear({ key: "o:authorise:2", outcome: "authorised", authorisation: "auth-1" }, "another"), {
      code: "signature_invalid",
    });
    t.same(told, []);
    t.match(await hear({ key: "o:authorise:2", outcome: "authorised", authorisation: "auth-1" }), {
      value: { received: true },
    });
    t.match(told.pop(), {
      key: "o",
      commandId: "webhook-7",
      caller: { role: "provider" },
      input: { step: "authorise", n: 2, answer: { outcome: "authorised", authorisation: "auth-1" } },
    });
    await hear({ key: "o:refund:3", outcome: "refunded", amountMinor: 5 });
    t.match(told.pop(), { input: { step: "refund", n: 3, answer: { outcome: "refunded", amountMinor: 5 } } });
    for (const key of ["another:authorise:1", "p:authorise:1", "o:capture:1", "o:authorise:", "o:authorise:x", "o"]) {
      t.match(await hear({ key, outcome: "authorised" }), { ok: true, value: { received: false } }, key);
    }
    t.same(told, []);
    temporary = true;
    t.match(await hear({ key: "o:void:1", outcome: "voided" }), { ok: false, code: "unavailable" });
  },
);
