import t from "tap";
import { amountText } from "./amount-text.js";
import { amountOf, decimalText, minorDigits, moneyText } from "./currency.js";

t.test("an amount has as many decimals as its currency", async (t) => {
  t.equal(amountText(300, "EUR"), "3.00 EUR");
  t.equal(amountText(5, "USD"), "0.05 USD");
  t.equal(amountText(0, "TRY"), "0.00 TRY");
  t.equal(amountText(300, "JPY"), "300 JPY");
  t.equal(amountText(300, "KWD"), "0.300 KWD");
  t.equal(amountText(-1_234, "EUR"), "-12.34 EUR");
  t.equal(amountText(9_007_199_254_740_991, "EUR"), "90071992547409.91 EUR");
});

t.test("minor units are those of ISO 4217, whatever decimals people leave out", async (t) => {
  const digits = { COP: 2, IDR: 2, HUF: 2, PKR: 2, IQD: 3, CLF: 4, CLP: 0, KRW: 0, VND: 0, BHD: 3 };
  for (const [currency, count] of Object.entries(digits)) t.equal(minorDigits(currency), count, currency);
  t.equal(amountText(2_500_000, "COP"), "25000.00 COP");
  t.equal(decimalText(2_500_000, "IQD"), "2500.000");
});

t.test(
  "people read no decimals that their currency is written without, but where there is something in them",
  async (t) => {
    const read = (minor: number, currency: string) => moneyText(minor, currency, "en").replaceAll(/\s/g, " ");
    t.equal(read(2_500_000, "COP"), "COP 25,000");
    t.equal(read(2_500_050, "COP"), "COP 25,000.50");
    t.equal(read(120_000, "HUF"), "HUF 1,200");
    t.equal(read(-1_500, "IQD"), "-IQD 1.500");
    t.equal(read(1_200, "JPY"), "¥1,200");
    t.equal(read(1_200, "EUR"), "€12.00");
    t.equal(read(1_234, "KWD"), "KWD 1.234");
  },
);

t.test("what is typed is an amount of its currency, or none", async (t) => {
  t.equal(amountOf("9.5", "EUR"), 950);
  t.equal(amountOf(" 9,50 ", "EUR"), 950);
  t.equal(amountOf(".5", "EUR"), 50);
  t.equal(amountOf("9.", "EUR"), 900);
  t.equal(amountOf("25000", "COP"), 2_500_000);
  t.equal(amountOf("1200", "JPY"), 1_200);
  t.equal(amountOf("1.2345", "CLF"), 12_345);
  t.equal(amountOf("90071992547409.91", "EUR"), 9_007_199_254_740_991);
  const none = ["", ".", "-1", "1e3", "0x10", "abc", "1.234,50", "90071992547409.92", "9.999"];
  for (const text of none) t.equal(amountOf(text, "EUR"), null, text);
  t.equal(amountOf("25.000", "COP"), null, "thousands are not parted: it would be 25 pesos");
  t.equal(amountOf("12.5", "JPY"), null);
  for (const minor of [0, 5, 1_234, 2_500_000]) {
    for (const currency of ["EUR", "JPY", "KWD", "CLF", "COP"]) {
      t.equal(amountOf(decimalText(minor, currency), currency), minor, `${minor} ${currency}`);
    }
  }
});
