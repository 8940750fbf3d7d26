/** The script of a thread that hashes passwords. */
import { hashSync, verifySync } from "@node-rs/argon2";

export type PasswordTask =
  | { readonly kind: "hash"; readonly password: string }
  | { readonly kind: "verify"; readonly password: string; readonly encoded: string };

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. Kept in each hash, so that it can be raised. */
const ARGON2ID = 2;
const COST = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

export default function work(task: PasswordTask): string | boolean {
  switch (task.kind) {
    case "hash":
      return hashSync(task.password, COST);
    case "verify":
      return verifySync(task.encoded, task.password);
  }
}
