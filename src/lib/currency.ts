/**
 * How many decimals an amount of a currency has: its minor units, as ISO 4217 counts them. Providers of payment, books
 * and clients count by the same standard. Not so `Intl`: it says how people write amounts, and people leave out the
 * centavos of COP or the fillér of HUF, which are there all the same. Runs in a browser.
 */

import { asciiDigits } from "./written-numbers.js";

/** All that have not two, in force in 2026. */
const DIGITS: ReadonlyMap<string, number> = new Map(
  (
    [
      [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
      [3, "BHD IQD JOD KWD LYD OMR TND"],
      [4, "CLF UYW"],
    ] as const
  ).flatMap(([digits, codes]) => codes.split(" ").map((code) => [code, digits] as const)),
);

/** 2 for EUR and COP, 0 for JPY, 3 for KWD. */
export const minorDigits = (currency: string): number => DIGITS.get(currency) ?? 2;

/** `300` of EUR is `3.00`, of JPY `300`, of KWD `0.300`. By its digits: no amount is a fraction that no number can hold. */
export function decimalText(amountMinor: number, currency: string): string {
  const digits = minorDigits(currency);
  if (digits === 0) return String(amountMinor);
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, "0");
  return `${amountMinor < 0 ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * What somebody typed, in minor units; null when it is no amount of this currency. A comma is a point, and neither parts
 * thousands: `25.000` is no amount of COP, rather than 25 pesos. Digits may be those of any script.
 */
export function amountOf(text: string, currency: string): number | null {
  const match = /^(\d{0,15})(?:[.,](\d*))?$/.exec(asciiDigits(text).trim());
  const [, whole = "", part = ""] = match ?? [];
  const digits = minorDigits(currency);
  if (whole + part === "" || part.length > digits) return null;
  const amountMinor = Number(`${whole}${part.padEnd(digits, "0")}`);
  return Number.isSafeInteger(amountMinor) ? amountMinor : null;
}

/** As people of a language write it: decimals that they leave out are shown only where there is something in them. */
export function moneyText(amountMinor: number, currency: string, locale?: string): string {
  const digits = minorDigits(currency);
  const usual = new Intl.NumberFormat(locale, { style: "currency", currency });
  const shown = usual.resolvedOptions().maximumFractionDigits ?? digits;
  const format =
    shown >= digits || amountMinor % 10 ** (digits - shown) === 0
      ? usual
      : new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: digits });
  return format.format(amountMinor / 10 ** digits);
}
