/**
 * The writer behind `Log`: one JSON object a line, with time (ISO 8601, UTC), level, node and thread. It owns form and
 * redaction, not what is said. A line is written before the call returns, so the last words of a crash are not lost.
 *
 * Fields that mean the same everywhere, so that one search follows one thing through the node: `requestId` (one HTTP
 * request), `connId` (one socket), `commandId`, `orderId`, `driverId`, `restaurantId`, `shard`, `part`, `error`.
 */
import { type DestinationStream, destination, pino } from "pino";
import type { Clock } from "../lib/clock.js";
import type { Log, LogFields } from "../lib/log.js";
import { writable } from "./redact.js";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  readonly node: string;
  /** For example `main`, `gateway-0`, `shards-1`. */
  readonly thread: string;
  readonly clock: Clock;
  /** Where lines go: a standard stream, or anything with `write`. Default: stdout. */
  readonly to?: "stdout" | "stderr" | DestinationStream;
}

export function createLog(options: LogOptions): Log {
  const to = options.to ?? "stdout";
  const stream = typeof to === "object" ? to : destination({ fd: to === "stdout" ? 1 : 2, sync: true });
  const root = pino(
    {
      level: options.level,
      base: { node: options.node, thread: options.thread },
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return wrap(root, {});
}

/** The methods of pino that we use; its own type is larger than any part should know. */
interface Writer {
  isLevelEnabled(level: string): boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function wrap(writer: Writer, bound: LogFields): Log {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: LogFields, message: string): void => {
      // Redaction costs: a line that nobody reads is not made.
      if (writer.isLevelEnabled(level)) writer[level](writable({ ...bound, ...fields }) as object, message);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(writer, { ...bound, ...fields }),
  };
}
