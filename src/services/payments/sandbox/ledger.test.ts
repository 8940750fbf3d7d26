import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Operation } from "./book.js";
import { type AppendBytes, openLedger } from "./ledger.js";

const authorise = (key: string): Operation => ({
  op: "authorise",
  key,
  orderId: `order-${key}`,
  amountMinor: 1_000,
  currency: "EUR",
  method: "card",
});

t.test("R-PAY-1: what a full disk did not take was not done, and can be done when there is room again", async (t) => {
  const path = join(t.testdir(), "ledger.jsonl");
  let full = false;
  const append: AppendBytes = async (file, text) => {
    // As a disk does: what still fits is written, the rest is not.
    await file.appendFile(full ? text.slice(0, 40) : text);
    if (full) throw new Error("ENOSPC: no space left on device");
    await file.datasync();
  };
  const ledger = await openLedger(path, append);
  const perform = async (key: string): Promise<string> => {
    const answer = ledger.book.apply(authorise(key), 1, false);
    if (!answer.ok) return answer.problem;
    if (answer.entry !== null) await ledger.append(answer.entry);
    return answer.outcome.outcome;
  };
  t.equal(await perform("a"), "authorised");
  full = true;
  const lost = await Promise.allSettled(["b", "c", "d"].map(perform));
  t.strictSame(
    lost.map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
  t.strictSame(
    ["a", "b", "c"].map((key) => ledger.book.outcomeOf(key)?.outcome),
    ["authorised", undefined, undefined],
  );
  t.equal(ledger.entries.length, 1);
  full = false;
  t.equal(await perform("b"), "authorised");
  await ledger.close();

  const again = await openLedger(path);
  t.strictSame(
    again.entries.map(({ number, operation }) => [number, operation.key]),
    [
      [1, "a"],
      [2, "b"],
    ],
  );
  t.equal(again.book.outcomeOf("b")?.outcome, "authorised");
  await again.close();
  t.equal(readFileSync(path, "utf8").split("\n").length, 3, "two whole lines");
});

t.test("a ledger with a line that is none is refused by its name and the line's number", async (t) => {
  const path = join(t.testdir(), "ledger.jsonl");
  writeFileSync(path, '{"number":1,"at":1,"operation":{},"outcome":{}}\n{"number":2,"opera{"number":3}\n');
  await t.rejects(openLedger(path), { message: new RegExp(`Line 2 of ${path}`) });
});
