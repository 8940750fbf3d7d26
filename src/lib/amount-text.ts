/** An amount as people read it: `300` of EUR is `3.00 EUR`, of JPY `300 JPY`, of KWD `0.300 KWD`. */
export function amountText(amountMinor: number, currency: string): string {
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
  }).resolvedOptions();
  if (digits === 0) return `${amountMinor} ${currency}`;
  // By its digits: no amount is written as a fraction that a number cannot hold.
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, "0");
  return `${amountMinor < 0 ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)} ${currency}`;
}
