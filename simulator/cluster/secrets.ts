/** What all nodes of one cluster share and nobody else knows. Made once and kept with the data, for its owner alone. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemRandom } from "../../src/lib/random.js";

export interface ClusterSecrets {
  readonly operatorSecret: string;
  readonly operatorSecretFile: string;
  readonly signingKeyFile: string;
  readonly orderIdSecretFile: string;
}

const OWNER_ONLY = 0o600;

export function clusterSecrets(dataDir: string): ClusterSecrets {
  const keep = (name: string, make: () => string): string => {
    const file = join(dataDir, name);
    if (!existsSync(file)) writeFileSync(file, `${make().trim()}\n`, { mode: OWNER_ONLY });
    return file;
  };
  const hex = (): string => Buffer.from(systemRandom().bytes(32)).toString("hex");
  const pem = (): string =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const operatorSecretFile = keep("operator.secret", hex);
  return {
    operatorSecret: readFileSync(operatorSecretFile, "utf8").trim(),
    operatorSecretFile,
    signingKeyFile: keep("signing-key.pem", pem),
    orderIdSecretFile: keep("order-id.secret", hex),
  };
}
