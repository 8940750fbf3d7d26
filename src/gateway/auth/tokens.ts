/**
 * Access tokens: JWTs signed with Ed25519. Owns signing, verification and the cache of verified tokens; what a role may
 * do is `access.ts`'s. Two keys overlap during a rotation: the first signs, all verify, the token's `kid` says which.
 *
 * Invariants: only `EdDSA` is accepted, whatever a header claims; a token from the cache has been verified and has not
 * expired by the port's clock; the cache is bounded.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createDecoder, createSigner, createVerifier } from "fast-jwt";
import type { Clock } from "../../lib/clock.js";
import { isId, ROLES, type Role } from "../../protocol/mod.js";

/** PEM text, so that a key can travel to a gateway thread. */
export interface TokenKey {
  readonly kid: string;
  /** PKCS 8. Absent on a key that only verifies (the outgoing one of a rotation). */
  readonly privateKey?: string;
  /** SPKI. Derived from the private key when absent. */
  readonly publicKey?: string;
}

/** Who speaks, as a verified token says. */
export interface Principal {
  readonly id: string;
  readonly role: Role;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export type Verified =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: "unauthenticated" | "token_expired" };

export interface Tokens {
  /** Signs with the first key. Throws when it has no private part. */
  issue(principal: { readonly id: string; readonly role: Role }, ttlSeconds: number): string;
  verify(token: string): Verified;
  readonly cacheSize: number;
}

const UNAUTHENTICATED: Verified = { ok: false, code: "unauthenticated" };
const EXPIRED: Verified = { ok: false, code: "token_expired" };
const MAX_TOKEN_LENGTH = 2048;

export function createTokens(options: {
  readonly keys: readonly TokenKey[];
  readonly clock: Clock;
  /** Verified tokens remembered until they expire; one verification costs about 120 µs. */
  readonly maxCached: number;
}): Tokens {
  const { clock, maxCached } = options;
  const signingKey = options.keys[0];
  if (signingKey === undefined) throw new Error("auth.keys is empty: at least one Ed25519 key is needed");
  const verifiers = new Map(
    options.keys.map((key) => {
      const material = key.publicKey ?? key.privateKey;
      if (material === undefined) throw new Error(`auth key ${key.kid} has neither a private nor a public part`);
      const publicKey = createPublicKey(material).export({ type: "spki", format: "pem" }).toString();
      // Expiry is checked here by the port's clock, so that a simulated day expires simulated tokens.
      return [key.kid, createVerifier({ key: publicKey, algorithms: ["EdDSA"], ignoreExpiration: true })];
    }),
  );
  const decode = createDecoder({ complete: true });
  const sign =
    signingKey.privateKey === undefined
      ? null
      : createSigner({ key: signingKey.privateKey, algorithm: "EdDSA", kid: signingKey.kid, noTimestamp: true });
  const cache = new Map<string, Principal>();

  function remember(token: string, principal: Principal): void {
    if (cache.size >= maxCached) {
      // The oldest entry goes: tokens are seen again soon or not at all.
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
    cache.set(token, principal);
  }

  function verifySlowly(token: string): Verified {
    let claims: { sub?: unknown; role?: unknown; exp?: unknown };
    try {
      const kid: unknown = decode(token).header?.kid;
      const verifier = typeof kid === "string" ? verifiers.get(kid) : undefined;
      if (verifier === undefined) return UNAUTHENTICATED;
      claims = verifier(token);
    } catch {
      return UNAUTHENTICATED;
    }
    const { sub, role, exp } = claims;
    if (!isId(sub) || typeof exp !== "number" || !Number.isFinite(exp)) return UNAUTHENTICATED;
    const knownRole = ROLES.find((each) => each === role);
    if (knownRole === undefined) return UNAUTHENTICATED;
    const principal: Principal = { id: sub, role: knownRole, expiresAt: exp * 1000 };
    if (principal.expiresAt <= clock.now()) return EXPIRED;
    remember(token, principal);
    return { ok: true, principal };
  }

  return {
    issue(principal, ttlSeconds) {
      if (sign === null) throw new Error(`auth key ${signingKey.kid} cannot sign: its private part is not here`);
      const issuedAt = Math.floor(clock.now() / 1000);
      return sign({ sub: principal.id, role: principal.role, iat: issuedAt, exp: issuedAt + ttlSeconds });
    },
    verify(token) {
      if (token.length === 0 || token.length > MAX_TOKEN_LENGTH) return UNAUTHENTICATED;
      const known = cache.get(token);
      if (known === undefined) return verifySlowly(token);
      if (known.expiresAt > clock.now()) return { ok: true, principal: known };
      cache.delete(token);
      return EXPIRED;
    },
    get cacheSize() {
      return cache.size;
    },
  };
}

/** A new Ed25519 key, for a node that has none yet. The composition root keeps it. */
export function generateTokenKey(kid: string): TokenKey {
  const pair = generateKeyPairSync("ed25519");
  return {
    kid,
    privateKey: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}
