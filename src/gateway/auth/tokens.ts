/**
 * Access tokens: JWTs signed with Ed25519. Owns signing, verification and the cache of verified tokens; what a role may
 * do is `access.ts`'s. Two keys overlap during a rotation: the first signs, all verify, the token's `kid` says which.
 *
 * Invariants: only `EdDSA` is accepted, whatever a header claims; a token from the cache has been verified and has not
 * expired by the port's clock; one that was revoked is refused, from the cache too; the cache is bounded.
 */
import { createPublicKey, generateKeyPairSync, hash } from "node:crypto";
import { createDecoder, createSigner, createVerifier } from "fast-jwt";
import type { Clock } from "../../lib/clock.js";
import { isId, ROLES, type Role } from "../../protocol/mod.js";
import { Revocations, type RevokedTokens } from "./revocations.js";

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
  /** The person behind it and the session it belongs to. Absent on tokens that the operator had made. */
  readonly accountId?: string;
  readonly sessionId?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export type Verified =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: "unauthenticated" | "token_expired" };

export interface Tokens {
  /** Signs with the first key. Throws when it has no private part. */
  issue(principal: Omit<Principal, "expiresAt">, ttlSeconds: number): string;
  verify(token: string): Verified;
  /** The same of an `authorization` header, `Bearer` and the token: quicker for who comes again and again. */
  verifyHeader(authorization: string): Verified;
  /**
   * Who an `authorization` header that was verified before belongs to, while it counts. Null of every other, whatever
   * it is worth.
   */
  remembered(authorization: string): Principal | null;
  /** Others from now on: the first signs, all verify. What was verified before stays so until it expires. */
  useKeys(keys: readonly TokenKey[]): void;
  /** Ends what was verified before its time. False when nothing was told that was not known. */
  revoke(revocations: readonly RevokedTokens[]): boolean;
  /** Why a principal that was verified once counts no more; null while it does. Expiry is not asked. */
  revoked(principal: Omit<Principal, "expiresAt">): string | null;
  /** Another number means: ask `revoked` anew. */
  readonly revocations: number;
  /** False where the person has not consented to be located. */
  mayBeLocated(principal: Pick<Principal, "id" | "accountId">): boolean;
  readonly cacheSize: number;
}

const UNAUTHENTICATED: Verified = { ok: false, code: "unauthenticated" };
const EXPIRED: Verified = { ok: false, code: "token_expired" };
const MAX_TOKEN_LENGTH = 2048;
/** Ended sessions within the life of an access token, and bans. */
const MAX_REVOCATIONS = 200_000;

/** How an `authorization` header begins that brings a token, as almost everybody writes it. */
const BEARER = "Bearer ";
/** The name of a scheme is the same in any case (RFC 9110 section 11.1). */
export function bringsToken(authorization: string): boolean {
  return authorization.startsWith(BEARER) || authorization.slice(0, BEARER.length).toLowerCase() === "bearer ";
}
/** Of a signature: as good as random, and a token that ends alike is compared as a whole. */
const TAIL_LENGTH = 16;

/** Of SHA-256, in letters of a byte each: enough that nobody finds another token with the same. */
const DIGEST_LENGTH = 16;

/** A tenth of the token in memory, and nobody can sign in with it. Costs half a microsecond. */
const digestOf = (token: string): string => hash("sha256", token, "binary").slice(0, DIGEST_LENGTH);

/** The same text in a piece of its own: one cut out of another keeps that one alive. */
const alone = (text: string): string => Buffer.from(text, "latin1").toString("latin1");

/**
 * Of a token that was verified. A socket shows its token once, so that only a digest is kept of it; of one that comes as a
 * header, with every request, the text, which is compared in no time. It is nobody's to see: whoever has it may speak for
 * this principal.
 */
class Known implements Principal {
  readonly id: string;
  readonly role: Role;
  declare readonly accountId?: string;
  declare readonly sessionId?: string;
  readonly expiresAt: number;
  readonly #digest: string;
  #authorization: string | null = null;

  constructor({ id, role, accountId, sessionId, expiresAt }: Principal, token: string) {
    this.id = id;
    this.role = role;
    if (accountId !== undefined) this.accountId = accountId;
    if (sessionId !== undefined) this.sessionId = sessionId;
    this.expiresAt = expiresAt;
    this.#digest = alone(digestOf(token));
  }

  cameBy(token: string): boolean {
    return this.#digest === digestOf(token);
  }

  cameByHeader(authorization: string): boolean {
    if (this.#authorization !== null) return this.#authorization === authorization;
    if (!authorization.startsWith(BEARER) || !this.cameBy(authorization.slice(BEARER.length))) return false;
    this.#authorization = alone(authorization);
    return true;
  }
}

interface Keys {
  readonly sign: ((claims: object) => string) | null;
  readonly signs: string;
  readonly verifiers: ReadonlyMap<string, (token: string) => unknown>;
}

function keysOf(keys: readonly TokenKey[]): Keys {
  const signingKey = keys[0];
  if (signingKey === undefined) throw new Error("auth.keys is empty: at least one Ed25519 key is needed");
  const verifiers = new Map(
    keys.map((key) => {
      const material = key.publicKey ?? key.privateKey;
      if (material === undefined) throw new Error(`auth key ${key.kid} has neither a private nor a public part`);
      const publicKey = createPublicKey(material).export({ type: "spki", format: "pem" }).toString();
      // Expiry is checked here by the port's clock, so that a simulated day expires simulated tokens.
      return [key.kid, createVerifier({ key: publicKey, algorithms: ["EdDSA"], ignoreExpiration: true })];
    }),
  );
  return {
    verifiers,
    signs: signingKey.kid,
    sign:
      signingKey.privateKey === undefined
        ? null
        : createSigner({ key: signingKey.privateKey, algorithm: "EdDSA", kid: signingKey.kid, noTimestamp: true }),
  };
}

export function createTokens(options: {
  readonly keys: readonly TokenKey[];
  readonly clock: Clock;
  /** Verified tokens remembered until they expire; one verification costs about 120 µs. */
  readonly maxCached: number;
}): Tokens {
  const { clock, maxCached } = options;
  let keys = keysOf(options.keys);
  const revocations = new Revocations(clock, MAX_REVOCATIONS);
  const decode = createDecoder({ complete: true });
  const cache = new Map<string, Known>();

  /** By its end: to hash a text takes time for each letter, to compare two takes hardly any. */
  const endsAs = (text: string): Known | undefined => cache.get(text.slice(-TAIL_LENGTH));

  function remember(token: string, principal: Principal): Known {
    if (cache.size >= maxCached) {
      // The oldest entry goes: tokens are seen again soon or not at all.
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
    const known = new Known(principal, token);
    cache.set(alone(token.slice(-TAIL_LENGTH)), known);
    return known;
  }

  function verifySlowly(token: string): Verified {
    let claims: { sub?: unknown; role?: unknown; exp?: unknown; act?: unknown; sid?: unknown };
    try {
      const kid: unknown = decode(token).header?.kid;
      const verifier = typeof kid === "string" ? keys.verifiers.get(kid) : undefined;
      if (verifier === undefined) return UNAUTHENTICATED;
      claims = verifier(token) as typeof claims;
    } catch {
      return UNAUTHENTICATED;
    }
    const { sub, role, exp } = claims;
    if (!isId(sub) || typeof exp !== "number" || !Number.isFinite(exp)) return UNAUTHENTICATED;
    const knownRole = ROLES.find((each) => each === role);
    if (knownRole === undefined) return UNAUTHENTICATED;
    const { act, sid } = claims;
    if ((act !== undefined && !isId(act)) || (sid !== undefined && !isId(sid))) return UNAUTHENTICATED;
    const principal: Principal = {
      id: sub,
      role: knownRole,
      ...(act === undefined ? {} : { accountId: act }),
      ...(sid === undefined ? {} : { sessionId: sid }),
      expiresAt: exp * 1000,
    };
    if (principal.expiresAt <= clock.now()) return EXPIRED;
    return standing(remember(token, principal));
  }

  function verify(token: string, known: Known | undefined): Verified {
    if (known === undefined) return verifySlowly(token);
    if (known.expiresAt > clock.now()) return standing(known);
    cache.delete(token.slice(-TAIL_LENGTH));
    return EXPIRED;
  }

  /** Not remembered: a ban may be lifted. */
  const standing = (principal: Principal): Verified =>
    revocations.why(principal) === null ? { ok: true, principal } : UNAUTHENTICATED;

  return {
    issue(principal, ttlSeconds) {
      if (keys.sign === null) throw new Error(`auth key ${keys.signs} cannot sign: its private part is not here`);
      const issuedAt = Math.floor(clock.now() / 1000);
      const { id, role, accountId, sessionId } = principal;
      return keys.sign({
        sub: id,
        role,
        ...(accountId === undefined ? {} : { act: accountId }),
        ...(sessionId === undefined ? {} : { sid: sessionId }),
        iat: issuedAt,
        exp: issuedAt + ttlSeconds,
      });
    },
    verify(token) {
      if (token.length === 0 || token.length > MAX_TOKEN_LENGTH) return UNAUTHENTICATED;
      const known = endsAs(token);
      return verify(token, known?.cameBy(token) ? known : undefined);
    },
    verifyHeader(authorization) {
      if (authorization.length > MAX_TOKEN_LENGTH || !bringsToken(authorization)) return UNAUTHENTICATED;
      const token = authorization.slice(BEARER.length);
      // Remembered is one way of writing it: `remembered` knows no other, and whoever writes one comes this way.
      const header = authorization.startsWith(BEARER) ? authorization : `${BEARER}${token}`;
      const known = endsAs(header);
      return verify(token, known?.cameByHeader(header) ? known : undefined);
    },
    remembered(authorization) {
      const known = endsAs(authorization);
      if (known === undefined || !known.cameByHeader(authorization)) return null;
      return known.expiresAt > clock.now() && revocations.why(known) === null ? known : null;
    },
    useKeys(next) {
      keys = keysOf(next);
    },
    revoke: (each) => revocations.apply(each),
    revoked: (principal) => revocations.why(principal),
    get revocations() {
      return revocations.changes;
    },
    mayBeLocated: (principal) => revocations.mayBeLocated(principal),
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
