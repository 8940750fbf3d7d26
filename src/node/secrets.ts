import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../lib/random.js";
import { makeDataDirectory } from "./data-directory.js";

/**
 * The secrets of a node. Each comes from the configuration; where it does not, it is made once and kept in the data
 * directory, readable by its owner alone, so that a restarted node honours the tokens and order ids of its earlier life.
 */
export interface NodeSecrets {
  /** PEM of the Ed25519 key that signs access tokens. */
  readonly signingKeyPem: string;
  /** Whoever knows it may have tokens issued for anybody. */
  readonly operatorSecret: string;
  readonly operatorSecretFile: string;
  /** Keys the hash that derives an order's id from customer and idempotency key. All nodes of a cluster share it. */
  readonly orderIdSecret: string;
  /** What is personal is encrypted with the first; the others still open what they encrypted. Shared like the above. */
  readonly masterSecrets: readonly string[];
}

export interface GivenSecrets {
  readonly signingKeyPem?: string;
  readonly operatorSecret?: string;
  readonly orderIdSecret?: string;
  readonly masterKey?: string;
  /** One, or several with commas between them, newest first. */
  readonly previousMasterKey?: string;
}

const OWNER_ONLY = 0o600;

export function loadSecrets(dataDir: string, given: GivenSecrets, random: Random): NodeSecrets {
  makeDataDirectory(dataDir);
  const hex = (): string => Buffer.from(random.bytes(32)).toString("hex");
  const operatorSecretFile = join(dataDir, "operator.secret");
  if (given.operatorSecret !== undefined) {
    writeFileSync(operatorSecretFile, `${given.operatorSecret}\n`, { mode: OWNER_ONLY });
    chmodSync(operatorSecretFile, OWNER_ONLY);
  }
  const orderIdSecret =
    given.orderIdSecret ??
    keep(
      join(dataDir, "order-id.secret"),
      hex,
      isHexSecret,
      "without it what people keep here can never be read again",
    );
  return {
    signingKeyPem:
      given.signingKeyPem ??
      keep(
        join(dataDir, "signing-key.pem"),
        newSigningKey,
        isPrivateKey,
        "or remove it to have a new one made (then tokens that were signed with it become invalid)",
      ),
    operatorSecret:
      given.operatorSecret ?? keep(operatorSecretFile, hex, isOperatorSecret, "or remove it to have a new one made"),
    operatorSecretFile,
    orderIdSecret,
    // A deployment that had no master key of its own and gets one can still read what it wrote before.
    masterSecrets: [
      ...(given.masterKey === undefined ? [] : [given.masterKey]),
      ...earlierKeys(given.previousMasterKey),
      orderIdSecret,
    ],
  };
}

/** A key that has a comma in it was given when there could be one only; as a whole it still opens. */
function earlierKeys(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const several = text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && each !== text);
  return [...several, text];
}

function newSigningKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function isPrivateKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === "ed25519";
  } catch {
    return false;
  }
}

const isHexSecret = (text: string): boolean => text.length >= 32;
/** One that was given by the configuration may be as short as that allows. */
const isOperatorSecret = (text: string): boolean => text.length >= 16;

/** Reads the file, or makes it in one step: a crash in the middle leaves no half-written secret behind. */
function keep(file: string, make: () => string, valid: (text: string) => boolean, otherwise: string): string {
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${make().trim()}\n`, { mode: OWNER_ONLY, flush: true });
    try {
      linkSync(draft, file);
    } catch (cause) {
      // Another process was faster: its secret is the one that counts.
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    } finally {
      unlinkSync(draft);
    }
  }
  const text = readFileSync(file, "utf8").trim();
  if (!valid(text)) {
    throw new Error(`${file} holds no usable secret. Put back the right one, ${otherwise}.`);
  }
  return text;
}
