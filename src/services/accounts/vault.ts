/**
 * Encryption at rest. A master key seals data keys, one for each account, and a data key seals what is personal in it.
 * Owns the form of what is sealed; does not own where it is kept, nor what the master keys are.
 *
 * Invariants: AES-256-GCM with a fresh random nonce each time; what is sealed for one place does not open in another (the
 * place is authenticated); with the data key gone, nothing sealed with it can be read by anybody.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { Random } from "../../lib/random.js";

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = 1;
const MASTER_ID_BYTES = 8;

/** What is sealed does not open: it was changed, or belongs elsewhere, or its master key is not known here. */
export class CannotOpen extends Error {
  override readonly name = "CannotOpen";
}

/** `place`: what it is and whose, so that nothing can be moved to where it does not belong. */
export function seal(key: Uint8Array, plain: Uint8Array, place: string, random: Random): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES).slice();
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  return Buffer.concat([Buffer.from([FORM]), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws CannotOpen. */
export function open(key: Uint8Array, sealed: Uint8Array, place: string): Uint8Array {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== FORM) throw new CannotOpen("not a sealed form");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw new CannotOpen(`what was sealed for ${place} does not open`, { cause });
  }
}

export interface Vault {
  /** Names the master key that seals now. */
  readonly masterId: string;
  /** The others, which only open. */
  readonly olderIds: readonly string[];
  /** Seals a key with the master key. */
  wrap(key: Uint8Array, place: string): Uint8Array;
  /** With whichever master key sealed it. Throws CannotOpen. */
  unwrap(wrapped: Uint8Array, place: string): Uint8Array;
  newKey(): Uint8Array;
}

/** The first seals, all open. Secrets are texts of any length; keys are derived from them. */
export function createVault(masterSecrets: readonly string[], random: Random): Vault {
  const masters = masterSecrets.map((secret) => {
    const key = Buffer.from(hkdfSync("sha256", secret, "", "swift-eats master key", KEY_BYTES));
    const id = createHash("sha256").update("swift-eats master id").update(key).digest().subarray(0, MASTER_ID_BYTES);
    return { key, id };
  });
  const current = masters[0];
  if (current === undefined) throw new Error("a vault needs a master key");
  return {
    masterId: current.id.toString("hex"),
    olderIds: masters.map(({ id }) => id.toString("hex")).filter((id) => id !== current.id.toString("hex")),
    wrap: (key, place) => Buffer.concat([current.id, seal(current.key, key, place, random)]),
    unwrap(wrapped, place) {
      const id = wrapped.subarray(0, MASTER_ID_BYTES);
      const master = masters.find((each) => each.id.equals(id));
      if (master === undefined) {
        throw new CannotOpen(
          `sealed with the master key ${Buffer.from(id).toString("hex")}, which is not given: set auth.previousMasterKey to it, or auth.orderIdSecret to what it was when there was no master key`,
        );
      }
      return open(master.key, wrapped.subarray(MASTER_ID_BYTES), place);
    },
    newKey: () => random.bytes(KEY_BYTES).slice(),
  };
}

/** A hash that nobody can try words on without the key. Hexadecimal digits. */
export function keyedHash(key: Uint8Array, what: string, text: string): string {
  return createHmac("sha256", key).update(`${what}\n${text}`).digest("hex");
}

/** Compares in constant time. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
