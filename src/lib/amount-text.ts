import { decimalText } from "./currency.js";

/** An amount as people read it: `300` of EUR is `3.00 EUR`, of JPY `300 JPY`, of KWD `0.300 KWD`. */
export const amountText = (amountMinor: number, currency: string): string =>
  `${decimalText(amountMinor, currency)} ${currency}`;
