/**
 * A provider of our own to try everything against: it records what it was asked to tell, tells one id once, and fails on
 * demand. Addresses say how: see `SANDBOX_ADDRESSES`. Its memory is bounded.
 */
import { type Message, type NotificationProvider, NotificationRefused, NotificationUnavailable } from "./ports.js";

/** A telephone number ends so, or a token or address contains it. */
export const SANDBOX_ADDRESSES = {
  /** Never exists. */
  refused: "555000",
  /** Fails twice, then works. */
  flaky: "555002",
  /** Never answers properly. */
  down: "555009",
} as const;

const MOST_KEPT = 10_000;
const FLAKY_FAILURES = 2;

export interface SandboxProvider extends NotificationProvider {
  /** What somebody was told, once for each id, oldest first. */
  readonly told: readonly Message[];
  /** Every try, told or not. */
  readonly asked: number;
}

/** `record` hears of each message that is told for the first time. `before`: what an earlier run of it has told. */
export function sandboxProvider(
  record: (message: Message) => void = () => undefined,
  before: readonly Message[] = [],
): SandboxProvider {
  const told = new Map<string, Message>();
  const tries = new Map<string, number>();
  let asked = 0;
  for (const message of before) bounded(told, message.id, message);
  return {
    get told() {
      return [...told.values()];
    },
    get asked() {
      return asked;
    },
    async send(message) {
      asked++;
      if (message.to.includes(SANDBOX_ADDRESSES.refused)) throw new NotificationRefused("no such address");
      if (message.to.includes(SANDBOX_ADDRESSES.down)) throw new NotificationUnavailable("the line is dead");
      if (message.to.includes(SANDBOX_ADDRESSES.flaky)) {
        const failed = tries.get(message.id) ?? 0;
        bounded(tries, message.id, failed + 1);
        if (failed < FLAKY_FAILURES) throw new NotificationUnavailable("try again");
      }
      if (told.has(message.id)) return;
      bounded(told, message.id, message);
      record(message);
    },
  };
}

function bounded<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  if (map.size <= MOST_KEPT) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
