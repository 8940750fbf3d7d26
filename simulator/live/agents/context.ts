/** What every agent needs, and the small tools they share. */
import { type Client, createClient, type TokenReason } from "../../../sdk/node.js";
import type { Clock } from "../../../src/lib/clock.js";
import type { Random } from "../../../src/lib/random.js";
import type { Recorder } from "../../checkers/mod.js";
import type { Roads } from "../../city/mod.js";
import type { CityTime } from "../city-time.js";
import type { Meter } from "../measure/meter.js";
import type { Counters } from "./counter.js";
import type { Device } from "./radio.js";
import { recorded } from "./recorded.js";

export { codeOf, isTemporary } from "./failures.js";

export interface AgentContext {
  readonly url: string | readonly string[];
  readonly clock: Clock;
  readonly time: CityTime;
  readonly recorder: Recorder;
  readonly meter: Meter;
  readonly roads: Roads;
  readonly counters: Counters;
  /** Whether an order stands ready that no kitchen of this run put out. Absent: all kitchens are this run's. */
  readonly standsReady?: (orderId: string) => Promise<boolean>;
  /** The access token of a principal, as the client asks for it. Throws for a stranger. */
  readonly token: (principalId: string, reason: TokenReason) => string | Promise<string>;
  /** What each has in the hand. Absent: this machine's sockets, and a phone that loses its signal for drivers. */
  readonly device?: (principalId: string) => Device;
  /** Fires when the run ends: agents leave. */
  readonly ended: AbortSignal;
}

/** Commands are resent until answered for this long: a node's restart must fit in. */
export const COMMAND_TTL_MS = 600_000;

/** `radio`: a phone that its owner carries in and out of the signal. */
export function connect(context: AgentContext, principalId: string, random: Random, radio?: Device): Client {
  const device = radio ?? context.device?.(principalId);
  const client = createClient({
    url: context.url,
    tokenProvider: (reason) => context.token(principalId, reason),
    deviceId: `sim-${principalId}`.slice(0, 64),
    clock: device?.clock ?? context.clock,
    random,
    backoffBaseMs: 400,
    backoffMaxMs: 4_000,
    commandTtlMs: COMMAND_TTL_MS,
    ...(device === undefined ? {} : { WebSocket: device.Socket }),
    ...(device?.fetch === undefined ? {} : { fetch: device.fetch }),
  });
  return recorded(client, {
    principal: principalId,
    recorder: context.recorder,
    clock: context.clock,
    radio: radio !== undefined,
  });
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Resolves after `delayMs`, or at once when the signal fires. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    // A timer holds 31 bits; what lies farther ahead than that waits for the signal alone.
    const cancel = delayMs > LONGEST_TIMER_MS ? () => {} : clock.after(delayMs, () => done());
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
  });
}
