/**
 * Structured logging as every part sees it. The writer behind it (`src/telemetry`) adds time, level and node, and redacts
 * tokens, secrets, phone numbers and positions. A message is a fixed sentence: whatever varies goes into the fields.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  /** Something is wrong that the node copes with by itself. */
  warn(fields: LogFields, message: string): void;
  /** Something is wrong that a person should look at. */
  error(fields: LogFields, message: string): void;
  /** A log whose every line also carries these fields, for example `{ part: "gateway" }` or a correlation id. */
  child(fields: LogFields): Log;
}

const nothing = (): void => {};

/** Drops everything: for tests and tools that have nobody to read it. */
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: LogFields;
  readonly message: string;
}

/** Keeps every line in `lines`, so that a test can prove that something was said. */
export function recordingLog(lines: LogLine[] = [], bound: LogFields = {}): Log & { readonly lines: LogLine[] } {
  const at =
    (level: LogLine["level"]) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields: { ...bound, ...fields }, message });
    };
  return {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => recordingLog(lines, { ...bound, ...fields }),
  };
}
