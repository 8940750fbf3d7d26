import t from "tap";
import { amountText } from "./amount-text.js";

t.test("an amount has as many decimals as its currency", async (t) => {
  t.equal(amountText(300, "EUR"), "3.00 EUR");
  t.equal(amountText(5, "USD"), "0.05 USD");
  t.equal(amountText(0, "TRY"), "0.00 TRY");
  t.equal(amountText(300, "JPY"), "300 JPY");
  t.equal(amountText(300, "KWD"), "0.300 KWD");
  t.equal(amountText(-1_234, "EUR"), "-12.34 EUR");
  t.equal(amountText(9_007_199_254_740_991, "EUR"), "90071992547409.91 EUR");
});
