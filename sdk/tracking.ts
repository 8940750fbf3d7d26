/**
 * Following one order by HTTP: by polling, or by server-sent events. Both give the same views.
 *
 * Invariants: versions never fall, and of one version positions never go back; what was yielded is not yielded again,
 * unless the node no longer knows, or knows again, that it is true; the loop ends with the order, with the signal, or with a refusal that will not change.
 */
import { type Clock, sleep } from "../src/lib/clock.js";
import type { Random } from "../src/lib/random.js";
import { isTerminal, type TrackedOrder } from "../src/protocol/mod.js";
import { pauseMs } from "./backoff.js";
import { SwiftEatsError } from "./errors.js";
import type { FetchResponse } from "./ports.js";
import { readEvents } from "./sse.js";

/** Whether news would come, told also while there are none. */
export interface LineHandlers {
  /** The node was heard: an answer, or anything at all on a stream. */
  heard?(): void;
  /** It was not, and is asked again. */
  lost?(): void;
}

export interface FollowOptions extends LineHandlers {
  /** Pause between polls in milliseconds; 3,500 by default, spread by a seventh so that pollers do not march in step. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/** One answer to a poll. */
export interface PolledOrder extends TrackedOrder {
  /** From the question to the answer, milliseconds: over a slow line what is shown may be older by so much. */
  readonly tookMs: number;
}

export interface OpenStream {
  readonly response: FetchResponse;
  /** It ended before its order did: the next one is opened at another node, if there is one. */
  broken(): void;
}

export interface TrackingSource {
  readonly clock: Clock;
  readonly random: Random;
  track(orderId: string, signal?: AbortSignal): Promise<TrackedOrder>;
  /** A GET whose body is read as it arrives. Rejects with a `SwiftEatsError` when it is refused. */
  open(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<OpenStream>;
}

export const BACKOFF = { baseMs: 250, maxMs: 5000 };
/** A node sends a comment every 15 s at least. A line that says nothing for this long is dead, whatever TCP thinks. */
const SILENCE_MS = 40_000;
const LOOK_EVERY_MS = 5_000;

export async function* pollOrder(
  source: TrackingSource,
  orderId: string,
  options: FollowOptions,
): AsyncGenerator<PolledOrder> {
  const everyMs = options.everyMs ?? 3500;
  let failures = 0;
  let version = -1;
  let positionAt = -1;
  let fresh = true;
  while (options.signal?.aborted !== true) {
    let waitMs = everyMs * (1 + (source.random.next() - 0.5) / 3.5);
    const askedAt = source.clock.monotonic();
    try {
      const tracked = await source.track(orderId, options.signal);
      failures = 0;
      options.heard?.();
      const at = tracked.position?.at ?? -1;
      // Another node may answer from an older copy: what was shown is never taken back.
      const newer = tracked.view.version > version || (tracked.view.version === version && at > positionAt);
      // What could not be looked up carries no position.
      const isSame = tracked.view.version === version && (at === positionAt || at < 0);
      if (newer || (isSame && tracked.fresh !== fresh)) {
        version = tracked.view.version;
        if (newer) positionAt = at;
        fresh = tracked.fresh;
        yield { ...tracked, tookMs: source.clock.monotonic() - askedAt };
      }
      if (isTerminal(tracked.view.status)) return;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === "aborted") return;
      if (!failure.temporary) throw failure;
      options.lost?.();
      waitMs = Math.max(failure.retryAfterMs, everyMs + pauseMs(BACKOFF, failures, 0, source.random));
      failures += 1;
    }
    await pause(source.clock, waitMs, options.signal);
  }
}

export async function* streamOrder(
  source: TrackingSource,
  orderId: string,
  signal?: AbortSignal,
  handlers: LineHandlers = {},
): AsyncGenerator<TrackedOrder> {
  const path = `/v1/orders/${encodeURIComponent(orderId)}/events`;
  let lastEventId = "";
  let failures = 0;
  let retryMs = 0;
  let version = -1;
  let positionAt = -1;
  while (signal?.aborted !== true) {
    const line = watchLine(source.clock, signal);
    let opened: OpenStream | null = null;
    try {
      const headers = { accept: "text/event-stream", ...(lastEventId ? { "last-event-id": lastEventId } : {}) };
      opened = await source.open(path, headers, signal);
      const { body } = opened.response;
      if (body === null) throw new SwiftEatsError({ code: "network", temporary: true });
      const heard = (): void => {
        line.heard();
        handlers.heard?.();
      };
      for await (const event of readEvents(body, line.signal, heard)) {
        failures = 0;
        lastEventId = event.id || lastEventId;
        retryMs = event.retryMs ?? retryMs;
        const tracked = JSON.parse(event.data) as TrackedOrder;
        const at = tracked.position?.at ?? -1;
        if (tracked.view.version < version || (tracked.view.version === version && at <= positionAt)) continue;
        version = tracked.view.version;
        positionAt = at;
        yield tracked;
        if (isTerminal(tracked.view.status)) return;
      }
      opened.broken();
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === "aborted" || signal?.aborted) return;
      if (!failure.temporary) throw failure;
      opened?.broken();
      retryMs = Math.max(retryMs, failure.retryAfterMs);
    } finally {
      line.end();
    }
    if (signal?.aborted) return;
    handlers.lost?.();
    await pause(source.clock, retryMs + pauseMs(BACKOFF, failures, 0, source.random), signal);
    failures += 1;
  }
}

/** Fires its signal with the caller's, and when nothing was heard for too long. */
function watchLine(clock: Clock, signal: AbortSignal | undefined) {
  const stop = new AbortController();
  const pass = (): void => stop.abort();
  signal?.addEventListener("abort", pass);
  let heardAtMs = clock.monotonic();
  const cancel = clock.every(LOOK_EVERY_MS, () => {
    if (clock.monotonic() - heardAtMs > SILENCE_MS) stop.abort();
  });
  return {
    signal: stop.signal,
    heard: (): void => {
      heardAtMs = clock.monotonic();
    },
    end: (): void => {
      cancel();
      signal?.removeEventListener("abort", pass);
    },
  };
}

/** Waits, but not beyond the signal. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return sleep(clock, delayMs);
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener("abort", done);
  });
}

/** Whatever went wrong, as the one kind of error that this library has. */
export function asFailure(error: unknown): SwiftEatsError {
  if (error instanceof SwiftEatsError) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new SwiftEatsError({ code: "aborted", temporary: false });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SwiftEatsError({ code: "network", temporary: true }, message);
}
