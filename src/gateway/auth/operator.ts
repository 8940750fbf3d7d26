/**
 * The operator's door: whoever holds the operator secret may have tokens made for any principal. It serves operations,
 * the simulator and the replay; people sign in by accounts.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Id, ROLES, type Static, Strict, Type } from "../../protocol/mod.js";
import type { Tokens } from "./tokens.js";

export const MAX_PRINCIPALS = 1000;

export const TokenRequest = Strict({
  principals: Type.Array(Strict({ id: Id, role: Type.Union(ROLES.map((role) => Type.Literal(role))) }), {
    minItems: 1,
    maxItems: MAX_PRINCIPALS,
  }),
  ttlSeconds: Type.Integer({ minimum: 1, maximum: 7 * 24 * 3600 }),
});
export type TokenRequest = Static<typeof TokenRequest>;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Compares in constant time, also where the lengths differ. An empty secret opens to nobody. */
export function operatorGuard(secret: string): (authorization: string) => boolean {
  const expected = digest(secret);
  return (authorization) => {
    if (secret.length === 0) return false;
    const [scheme = "", given = ""] = authorization.split(" ", 2);
    const equal = timingSafeEqual(digest(given), expected);
    return equal && scheme.toLowerCase() === "operator";
  };
}

export function issueTokens(tokens: Tokens, request: TokenRequest): { readonly tokens: readonly string[] } {
  return { tokens: request.principals.map((principal) => tokens.issue(principal, request.ttlSeconds)) };
}
