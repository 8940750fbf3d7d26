/** Seals payment tokens under keys of their own, derived from the node's secrets. */
import type { Random } from "../../lib/random.js";
import { createTextSeal } from "../../lib/sealed-text.js";
import type { Vault } from "./ports.js";

export const tokenVault = (secrets: readonly string[], random: Random): Vault =>
  createTextSeal(secrets, "swift-eats payment tokens", random);
