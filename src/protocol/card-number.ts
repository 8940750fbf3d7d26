/**
 * Whether a text is the number of a payment card (ISO/IEC 7812: 12 to 19 digits, the last one a check digit after Luhn).
 * Nobody here may keep one: a provider's own form takes it and gives a token in its place.
 */
const CARD = /^[0-9](?:[ -]?[0-9]){11,18}$/;

export function isCardNumber(text: string): boolean {
  if (!CARD.test(text)) return false;
  const digits = text.replaceAll(/[ -]/g, "");
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const weighed = i % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}

/** What is wrong with a text that stands where a payment token should. */
export const CARD_NUMBER_PROBLEM = "is a card's number; send the token that the payment provider's own form gives";
