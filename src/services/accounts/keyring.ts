/**
 * The keys that all nodes share, kept in the store, sealed with the master key: one for lookup hashes, one for refresh
 * tokens, and those that sign access tokens. Owns making, loading and rotating them.
 *
 * Invariants: the lookup key and the refresh key are made once, whoever is first; a new signing key signs only when every
 * node has had time to hear of it, and an old one verifies until the last token signed with it has ended.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { Clock } from "../../lib/clock.js";
import type { AccountStore, AuditDraft, KeyRecord } from "./ports.js";
import type { Vault } from "./vault.js";

/** As the gateway's tokens take it. The first signs, all verify. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface Keyring {
  /** Reads the keys, makes those that are missing. To be awaited before anything else; harmless to repeat. */
  load(): Promise<void>;
  readonly lookup: Uint8Array;
  readonly refresh: Uint8Array;
  /** Newest first among those that may sign; then those that only verify. */
  signing(): readonly SigningKey[];
  /** `wish`: the same wish asked for again is answered with the key that it made. */
  rotate(wish: string, audit: AuditDraft): Promise<{ readonly kid: string; readonly signsFrom: number }>;
  jwks(): readonly { kty: "OKP"; crv: "Ed25519"; use: "sig"; alg: "EdDSA"; kid: string; x: string }[];
}

export interface KeyringSettings {
  /** From making a signing key to its first signature: all nodes read the keys within this. */
  readonly spreadMs: number;
  /** From the next key's first signature on: no token lives longer. */
  readonly keepMs: number;
}

const FOREVER = 8_640_000_000_000;
const placeOf = (kid: string): string => `key/${kid}`;

export function createKeyring(deps: {
  readonly store: AccountStore;
  readonly vault: Vault;
  readonly clock: Clock;
  /** The node's own key: the first of a deployment, and always good for verifying. */
  readonly first: { readonly kid: string; readonly privateKey: string };
  readonly settings: KeyringSettings;
  readonly onSigning: (keys: readonly SigningKey[]) => void;
  /** Called once: the node was given another key than the one that its deployment began with, which goes on to count. */
  readonly onOther?: (kid: string) => void;
}): Keyring {
  const { store, vault, clock, first, settings, onSigning } = deps;
  let saidOther = false;
  let secrets: { readonly lookup: Uint8Array; readonly refresh: Uint8Array } | null = null;
  let known: readonly (KeyRecord & { readonly secret: Uint8Array })[] = [];
  const own: SigningKey = { ...first, publicKey: publicOf(first.privateKey) };

  const record = (
    kid: string,
    purpose: KeyRecord["purpose"],
    secret: Uint8Array,
    publicKey: string | null,
  ): KeyRecord => ({
    kid,
    purpose,
    sealed: vault.wrap(secret, placeOf(kid)),
    masterId: vault.masterId,
    publicKey,
    createdAt: clock.now(),
    activeFrom: clock.now(),
    until: FOREVER,
  });

  async function read(): Promise<void> {
    const rows = await store.keys();
    const before = new Map(known.map((key) => [key.kid, key]));
    known = rows.map((row) => ({
      ...row,
      secret: before.get(row.kid)?.secret ?? vault.unwrap(row.sealed, placeOf(row.kid)),
    }));
    for (const { kid, secret, masterId } of known) {
      if (masterId !== vault.masterId) await store.resealKey(kid, vault.wrap(secret, placeOf(kid)), vault.masterId);
    }
  }

  function signing(): readonly SigningKey[] {
    const now = clock.now();
    const keys = known
      .filter(({ purpose, until }) => purpose === "signing" && until > now)
      .sort((a, b) => b.activeFrom - a.activeFrom || (a.kid < b.kid ? 1 : -1))
      .map(({ kid, secret, publicKey, activeFrom }) => ({
        key: { kid, privateKey: Buffer.from(secret).toString(), publicKey: publicKey ?? "" },
        signs: activeFrom <= now,
      }));
    const ordered = [...keys.filter(({ signs }) => signs), ...keys.filter(({ signs }) => !signs)].map(({ key }) => key);
    return ordered.some(({ kid }) => kid === own.kid) ? ordered : [...ordered, own];
  }

  const secretOf = (kid: string): Uint8Array => {
    const found = known.find((key) => key.kid === kid);
    if (found === undefined) throw new Error(`the key ${kid} is neither in the store nor could it be put there`);
    return found.secret;
  };

  return {
    async load() {
      await read();
      const missing = (purpose: KeyRecord["purpose"]): boolean => !known.some((key) => key.purpose === purpose);
      const made: KeyRecord[] = [];
      if (missing("lookup")) made.push(record("lookup", "lookup", vault.newKey(), null));
      if (missing("refresh")) made.push(record("refresh", "refresh", vault.newKey(), null));
      if (missing("signing")) made.push(record(own.kid, "signing", Buffer.from(own.privateKey), own.publicKey));
      for (const key of made) await store.addKey(key, []);
      // Another node may have been faster: what the store says counts.
      if (made.length > 0) await read();
      secrets = { lookup: secretOf("lookup"), refresh: secretOf("refresh") };
      const begun = known.find(({ kid, until }) => kid === own.kid && until > clock.now());
      if (begun !== undefined && begun.publicKey !== own.publicKey && !saidOther) {
        saidOther = true;
        deps.onOther?.(own.kid);
      }
      onSigning(signing());
    },
    get lookup() {
      return loaded(secrets).lookup;
    },
    get refresh() {
      return loaded(secrets).refresh;
    },
    signing,
    async rotate(wish, audit) {
      const pair = generateKeyPairSync("ed25519");
      const kid = `k-${createHash("sha256").update(wish).digest("hex").slice(0, 16)}`;
      const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
      const signsFrom = clock.now() + settings.spreadMs;
      const key = { ...record(kid, "signing", Buffer.from(privateKey), publicKey), activeFrom: signsFrom };
      const added = await store.addKey(key, [audit], signsFrom + settings.keepMs);
      await this.load();
      const made = added ? key : (await store.keys()).find((each) => each.kid === kid);
      return { kid, signsFrom: made?.activeFrom ?? signsFrom };
    },
    jwks: () =>
      signing().map(({ kid, publicKey }) => ({
        kty: "OKP",
        crv: "Ed25519",
        use: "sig",
        alg: "EdDSA",
        kid,
        x: createPublicKey(publicKey).export({ format: "jwk" }).x ?? "",
      })),
  };
}

function loaded<T>(value: T | null): T {
  if (value === null) throw new Error("the keys have not been read from the store yet");
  return value;
}

function publicOf(privateKey: string): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" }).toString();
}
