/**
 * A driver's work, followed by whatever the network lets through: the socket; while that does not come, polls.
 *
 * Invariants: polls run only while the socket is away; after polls the socket starts from a snapshot, because what
 * happened meanwhile is in what they brought, and would go backwards if it were told once more.
 */
import { type Clock, systemClock } from "../src/lib/clock.js";
import type { DriverEvent, DriverSnapshot } from "../src/protocol/mod.js";
import type { ChannelSubscription } from "./channels.js";
import type { Client } from "./client.js";
import type { SwiftEatsError } from "./errors.js";
import { substitute } from "./substitute.js";

export type WorkSource = "socket" | "poll";

export interface WorkHandlers {
  /** The whole work: what was held before is replaced. */
  snapshot?(work: DriverSnapshot): void;
  event?(event: DriverEvent): void;
  /** Who brings the news from now on; null while nobody does. */
  source?(source: WorkSource | null): void;
  ended?(error: SwiftEatsError): void;
}

export interface WatchWorkOptions {
  readonly clock?: Clock;
  /** How long the socket may be away before the work is polled, and how often it is then, in milliseconds. */
  readonly patienceMs?: number;
  readonly pollMs?: number;
}

export function watchWork(
  client: Client,
  driverId: string,
  handlers: WorkHandlers,
  options: WatchWorkOptions = {},
): { readonly source: WorkSource | null; stop(): void } {
  let source: WorkSource | null = null;
  let shown = "";
  let subscription = listen();

  function listen(): ChannelSubscription {
    return client.subscribe(`driver:${driverId}`, {
      state: ({ body }) => handlers.snapshot?.(body as unknown as DriverSnapshot),
      event: ({ type, body }) => handlers.event?.({ type, body } as unknown as DriverEvent),
      ended,
    });
  }
  function from(next: WorkSource | null): void {
    if (next === source) return;
    source = next;
    handlers.source?.(next);
  }
  function ended(error: SwiftEatsError): void {
    stop();
    handlers.ended?.(error);
  }
  const polls = substitute<DriverSnapshot>(client, options.clock ?? systemClock(), {
    patienceMs: options.patienceMs ?? 6_000,
    everyMs: options.pollMs ?? 2_500,
    ask: (signal) => client.http.get("/v1/drivers/me/work", {}, signal),
    answered(work) {
      const text = JSON.stringify(work);
      if (source === "poll" && text === shown) return undefined;
      shown = text;
      subscription = listen();
      from("poll");
      client.gps.apply(work.gps);
      handlers.snapshot?.(work);
      return undefined;
    },
    changed: (running) => {
      if (!running && source === "poll") from(null);
    },
    refused: ended,
  });
  const follow = (): void => {
    if (client.state.name === "live") from("socket");
    else if (source === "socket") from(null);
  };
  const stopListening = client.onState(follow);
  follow();

  function stop(): void {
    stopListening();
    polls.stop();
    subscription.unsubscribe();
    from(null);
  }
  return {
    get source() {
      return source;
    },
    stop,
  };
}
