/** How a value may be shown: secrets never, addresses without the password in them. */
import type { Setting } from "./setting.js";

export const REDACTED = "[redacted]";

/** A value for a message: quoted, cut short, secrets redacted. */
export function shown(setting: Pick<Setting, "secret">, value: unknown): string {
  const safe = redacted(setting, value);
  if (safe === REDACTED) return REDACTED;
  const text = JSON.stringify(safe) ?? String(safe);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** The value itself where it is no secret; otherwise what may be known of it. */
export function redacted(setting: Pick<Setting, "secret">, value: unknown): unknown {
  if (setting.secret === undefined || value === null || value === undefined) return value;
  if (setting.secret === "value" || typeof value !== "string") return REDACTED;
  return withoutPassword(value);
}

/** `postgres://user:password@host/db?password=x` → `postgres://host/db`. What cannot be understood is hidden whole. */
export function withoutPassword(address: string): string {
  try {
    const url = new URL(address);
    // A password that is written as it is may have become a host and a path.
    if (url.host === "" || url.hash !== "" || url.pathname.includes("@")) return REDACTED;
    return `${url.protocol}//${url.host}${url.pathname}`;
  } catch {
    return REDACTED;
  }
}
