/**
 * Texts sealed for keeping: AES-256-GCM under keys derived from secrets, each text bound to what it belongs to. The first
 * secret seals, all open, so that a secret can be replaced. A key is derived for one purpose: what is sealed for another
 * does not open.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";
import type { Random } from "./random.js";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = "v1";

export interface TextSeal {
  /** `context` names what the text belongs to, so that it cannot be moved elsewhere. */
  seal(text: string, context: string): string;
  /** Throws when it was sealed with another key, for another context, or changed since. */
  open(sealed: string, context: string): string;
}

export function createTextSeal(secrets: readonly string[], purpose: string, random: Random): TextSeal {
  const keys = secrets.map((secret) => {
    const key = Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
    return { key, name: createHash("sha256").update(key).digest("hex").slice(0, 8) };
  });
  const first = keys[0];
  if (first === undefined) throw new TypeError("sealing needs a secret");
  return {
    seal(text, context) {
      const nonce = Buffer.from(random.bytes(NONCE_BYTES));
      const cipher = createCipheriv("aes-256-gcm", first.key, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${FORM}.${first.name}.${sealed.toString("base64url")}`;
    },
    open(sealed, context) {
      const [form, name, text] = sealed.split(".");
      const found = keys.find((key) => key.name === name);
      if (form !== FORM || found === undefined || text === undefined) throw new Error("sealed with an unknown key");
      const bytes = Buffer.from(text, "base64url");
      const decipher = createDecipheriv("aes-256-gcm", found.key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    },
  };
}
