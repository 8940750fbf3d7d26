/**
 * One order, followed by whatever the network lets through: the socket; while that does not come, server-sent events;
 * where a proxy swallows those, polls.
 *
 * Owns: which of them runs. Invariants: at most one of the two substitutes runs, and none while the socket is live;
 * versions handed up never fall and of one version no position is older than the one before, whoever brought it; after a
 * closed order nothing runs.
 */
import { type Cancel, type Clock, systemClock } from "../src/lib/clock.js";
import { isTerminal, type OrderView, type PositionView, type TrackedOrder } from "../src/protocol/mod.js";
import type { Client } from "./client.js";
import { SwiftEatsError } from "./errors.js";

export type OrderSource = "socket" | "stream" | "poll";

export interface OrderHandlers {
  view?(view: OrderView): void;
  /** Null: the driver may not be seen any more. */
  position?(position: PositionView | null): void;
  /** Who brings the news from now on; null while nobody does. */
  source?(source: OrderSource | null): void;
  /** False: the node could not reach its source, and what was told last is the last that is known. */
  fresh?(fresh: boolean): void;
  ended?(error: SwiftEatsError): void;
}

export interface WatchOrderOptions {
  readonly clock?: Clock;
  /** How long the socket may be away before a substitute is asked, in milliseconds. */
  readonly patienceMs?: number;
  /** How long a stream may say nothing at its beginning, or after it broke, before polls take its place. */
  readonly streamPatienceMs?: number;
}

export function watchOrder(
  client: Client,
  orderId: string,
  handlers: OrderHandlers,
  options: WatchOrderOptions = {},
): { readonly source: OrderSource | null; stop(): void } {
  const clock = options.clock ?? systemClock();
  const patienceMs = options.patienceMs ?? 6_000;
  const streamPatienceMs = options.streamPatienceMs ?? 8_000;
  let source: OrderSource | null = null;
  let version = -1;
  let positionAt = -1;
  let over = false;
  let substitute: AbortController | null = null;
  let waiting: Cancel | null = null;

  const from = (next: OrderSource | null): void => {
    if (next === source) return;
    source = next;
    handlers.source?.(next);
  };
  const view = (next: OrderView): void => {
    if (over || next.version <= version) return;
    version = next.version;
    handlers.view?.(next);
    if (isTerminal(next.status)) finish();
  };
  const position = (next: PositionView | null): void => {
    if (over || (next !== null && next.at <= positionAt)) return;
    if (next !== null) positionAt = next.at;
    handlers.position?.(next);
  };
  let fresh = true;
  const freshness = (next: boolean): void => {
    if (over || next === fresh) return;
    fresh = next;
    handlers.fresh?.(next);
  };
  const tracked = ({ view: next, position: where, fresh: isFresh }: TrackedOrder): void => {
    freshness(isFresh);
    view(next);
    if (where !== undefined) position(where);
  };

  const endSubstitute = (): void => {
    waiting?.();
    waiting = null;
    substitute?.abort();
    substitute = null;
  };
  const finish = (): void => {
    if (over) return;
    over = true;
    endSubstitute();
    stopListening();
    subscription.unsubscribe();
  };
  const refused = (error: unknown): void => {
    if (over) return;
    finish();
    const failure = error instanceof SwiftEatsError ? error : new SwiftEatsError({ code: "network", temporary: true });
    handlers.ended?.(failure);
  };

  async function follow(stop: AbortController): Promise<void> {
    const stream = new AbortController();
    const pass = (): void => stream.abort();
    stop.signal.addEventListener("abort", pass);
    /** Until a first event, the beginning of a stream proves nothing; later anything does: of an order at rest there is no news. */
    let begun = false;
    let giveUp: Cancel | null = clock.after(streamPatienceMs, pass);
    const comes = (): void => {
      giveUp?.();
      giveUp = null;
      from("stream");
    };
    try {
      const lines = client.http.stream(orderId, stream.signal, {
        heard: () => begun && comes(),
        lost: () => {
          from(null);
          giveUp ??= clock.after(streamPatienceMs, pass);
        },
      });
      for await (const one of lines) {
        begun = true;
        comes();
        tracked(one);
      }
    } finally {
      giveUp?.();
      stop.signal.removeEventListener("abort", pass);
    }
    if (stop.signal.aborted || !stream.signal.aborted) return;
    const polls = client.http.follow(orderId, {
      signal: stop.signal,
      heard: () => from("poll"),
      lost: () => from(null),
    });
    for await (const one of polls) tracked(one);
  }

  const changed = (): void => {
    if (over) return;
    if (client.state.name === "live") {
      endSubstitute();
      freshness(true);
      from("socket");
      return;
    }
    if (source === "socket") from(null);
    if (client.state.name === "closed" || waiting !== null || substitute !== null) return;
    waiting = clock.after(patienceMs, () => {
      waiting = null;
      const stop = new AbortController();
      substitute = stop;
      follow(stop).catch((error: unknown) => {
        if (!stop.signal.aborted) refused(error);
      });
    });
  };

  const subscription = client.subscribe(`order:${orderId}`, {
    state({ slot, body }) {
      if (slot === "position") position(body as unknown as PositionView | null);
      else view(body as unknown as OrderView);
    },
    ended: refused,
  });
  const stopListening = client.onState(changed);
  changed();
  return {
    get source() {
      return source;
    },
    stop: finish,
  };
}
