/** The wire contract's one door. Runs in a browser. */

export { CARD_NUMBER_PROBLEM, isCardNumber } from "./card-number.js";
export * from "./chat.js";
export * from "./codec.js";
export * from "./commands.js";
export * from "./dispatch.js";
export * from "./errors.js";
export * from "./frames.js";
export * from "./hours.js";
export * from "./ids.js";
export * from "./menus.js";
export * from "./money.js";
export * from "./operations/mod.js";
export * from "./orders.js";
export * from "./pricing.js";
export * from "./replies.js";
export * from "./scan.js";
export * from "./schemas.js";
export * from "./search.js";
export * from "./server-frames.js";
export * from "./validate.js";
