import t from "tap";
import { amountOf } from "./currency.js";
import { asciiDigits, telephoneOf } from "./written-numbers.js";

t.test("R-PRO-4: what is typed is the same number in the digits of any script", async (t) => {
  for (const typed of ["1290.5", "١٢٩٠٫٥", "۱۲۹۰٫۵", "１２９０．５", "१२९०.५", "๑๒๙๐.๕"])
    t.equal(asciiDigits(typed), "1290.5", typed);
  t.equal(amountOf("٣٫٥٠٠", "KWD"), 3_500);
  t.equal(amountOf("１２００", "JPY"), 1_200);
  t.equal(amountOf("๑,๕", "THB"), 150);
  t.equal(amountOf("١٬٢٠٠", "KWD"), null, "thousands are not parted");
});

t.test("R-ACC-1: a telephone number is the one that was typed, or none", async (t) => {
  const numbers = {
    "+39 010 555 0100": "+390105550100",
    "0081 90-1234-5678": "+819012345678",
    "＋８１９０１２３４５６７８": "+819012345678",
    "+٩٦٥ ٥٥٥٥ ١٢٣٤": "+96555551234",
    "\u2066+965 5555 1234\u2069": "+96555551234",
    "+49 (0)170 5551234": "+491705551234",
  };
  for (const [typed, number] of Object.entries(numbers)) t.equal(telephoneOf(typed), number, typed);
  for (const typed of [
    "",
    "090 1234 5678",
    "+39",
    "call me",
    "+39 010 555 0100 ext 3",
    "+0 123 456 789",
    "+39+0105550100",
  ]) {
    t.equal(telephoneOf(typed), null, typed);
  }
});
