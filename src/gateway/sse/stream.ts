/**
 * Tracking by server-sent events: the same view and the same location gate as a socket. Each event is a whole
 * `TrackedOrder`, its id the view's version.
 *
 * Invariants: the headers go out only once the order has admitted the caller; a stream that cannot be written to holds
 * one waiting event, the newest; no position follows the closing view; a stream ends with the token that opened it; an
 * account has at most as many streams as it may have sockets.
 */
import type { OrderView, PositionView } from "../../protocol/mod.js";
import { isId } from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import type { Broadcast } from "../fanout/broadcast.js";
import { followOrder, type OrderFeed } from "../fanout/order-feed.js";
import { type Answer, problem, refused } from "../http/answer.js";
import { commonHeaders, type Exchange } from "../http/exchange.js";
import { statusText } from "../http/problem.js";
import { count } from "../stats.js";

const EVENT_STREAM = "text/event-stream";
const TAKEN: Answer = { kind: "taken" };

interface Stream {
  readonly exchange: Exchange;
  /** Role and id of who opened it. */
  readonly account: string;
  readonly principal: Principal;
  feed: OrderFeed | null;
  viewJson: string;
  version: number;
  position: PositionView | null;
  /** Something newer than what was last written. */
  dirty: boolean;
  /** The native side has enough for now. */
  blocked: boolean;
  open: boolean;
}

export class OrderStreams {
  readonly #context: GatewayContext;
  readonly #streams = new Set<Stream>();
  readonly #byAccount = new Map<string, number>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  open(exchange: Exchange): Answer | Promise<Answer> {
    const context = this.#context;
    const { principal, params } = exchange;
    const orderId = params.orderId ?? "";
    if (principal === null) return problem("unauthenticated");
    if (!isId(orderId)) return problem("not_found");
    if (context.phase !== "serving") return problem("draining", undefined, 1_000);
    if (this.#streams.size >= context.settings.maxStreams) return problem("overloaded", undefined, 2_000);
    const account = `${principal.role}/${principal.id}`;
    const ofAccount = this.#byAccount.get(account) ?? 0;
    const { maxConnectionsPerUser } = context.settings;
    if (ofAccount >= maxConnectionsPerUser) return problem("overloaded", { maxConnectionsPerUser }, 2_000);
    const known = /^\d{1,15}$/.test(exchange.lastEventId) ? Number(exchange.lastEventId) : null;
    const stream: Stream = {
      exchange,
      account,
      principal,
      feed: null,
      viewJson: "",
      version: 0,
      position: null,
      dirty: false,
      blocked: false,
      open: false,
    };
    this.#streams.add(stream);
    this.#byAccount.set(account, ofAccount + 1);
    context.stats.streams = this.#streams.size;
    return new Promise((resolve) => {
      const cancel = context.clock.after(context.settings.commandTimeoutMs, () => {
        if (stream.open) return;
        this.#forget(stream);
        resolve(problem("timeout"));
      });
      exchange.onAbort = () => {
        cancel();
        this.#forget(stream);
        resolve(TAKEN);
      };
      const feed = followOrder(context, orderId, { id: principal.id, role: principal.role }, known, {
        started: () => {
          cancel();
          if (!this.#streams.has(stream)) return;
          if (exchange.headOnly) {
            // HEAD asks for the headers alone: a body would be read as the answer to the next request.
            this.#forget(stream);
            resolve({ kind: "body", status: 200, body: "", contentType: EVENT_STREAM });
            return;
          }
          this.#writeHead(stream);
          resolve(TAKEN);
        },
        unchanged: (view: OrderView) => {
          stream.viewJson = JSON.stringify(view);
          stream.version = view.version;
        },
        view: (_item, view: OrderView) => {
          stream.viewJson = JSON.stringify(view);
          stream.version = view.version;
          if (view.status !== "picked_up") stream.position = null;
          this.#flush(stream, true);
        },
        position: (broadcast: Broadcast) => {
          stream.position = broadcast.frame[6] as unknown as PositionView;
          this.#flush(stream, true);
        },
        clearPosition: () => {
          stream.position = null;
        },
        ended: (error) => {
          cancel();
          const wasOpen = stream.open;
          this.#forget(stream);
          if (wasOpen) this.#end(stream);
          else resolve(refused(error));
        },
      });
      if (this.#streams.has(stream)) stream.feed = feed;
      else feed.close();
    });
  }

  /** Ends those whose token has ended or was revoked. */
  sweep(): void {
    const { clock, tokens } = this.#context;
    const now = clock.now();
    for (const stream of this.#streams) {
      const { principal } = stream;
      if (!stream.open || (principal.expiresAt > now && tokens.revoked(principal) === null)) continue;
      this.#forget(stream);
      this.#end(stream);
    }
  }

  /** Heartbeats. */
  beat(): void {
    this.sweep();
    for (const stream of this.#streams) if (stream.open && !stream.blocked) this.#write(stream, ": \n\n");
  }

  /** Ends every stream; clients come back within the window, each at a moment of its own. */
  close(windowMs: number): void {
    for (const stream of [...this.#streams]) {
      this.#forget(stream);
      if (!stream.open) continue;
      this.#write(stream, `retry: ${Math.floor(this.#context.random.next() * windowMs)}\n\n`);
      this.#end(stream);
    }
  }

  #writeHead(stream: Stream): void {
    stream.open = true;
    const { exchange } = stream;
    exchange.answered = true;
    count(this.#context.stats.httpStatuses, 200);
    exchange.res.cork(() => {
      exchange.res.writeStatus(statusText(200));
      commonHeaders(exchange);
      exchange.res.writeHeader("content-type", EVENT_STREAM);
      exchange.res.writeHeader("cache-control", "no-store");
      exchange.res.writeHeader("x-accel-buffering", "no");
      exchange.res.write("retry: 2000\n\n");
    });
    exchange.res.onWritable(() => {
      stream.blocked = false;
      this.#flush(stream, false);
      return true;
    });
  }

  #flush(stream: Stream, changed: boolean): void {
    if (changed) stream.dirty = true;
    if (!stream.dirty || stream.blocked || !stream.open || stream.viewJson === "") return;
    stream.dirty = false;
    const now = this.#context.clock.now();
    const { position } = stream;
    const positionJson =
      position === null ? "" : `,"position":${JSON.stringify({ ...position, ageMs: Math.max(0, now - position.at) })}`;
    this.#write(
      stream,
      `id: ${stream.version}\ndata: {"view":${stream.viewJson}${positionJson},"fresh":true,"serverTime":${now}}\n\n`,
    );
  }

  #write(stream: Stream, text: string): void {
    if (stream.exchange.aborted) return;
    stream.exchange.res.cork(() => {
      if (!stream.exchange.res.write(text)) stream.blocked = true;
    });
  }

  #end(stream: Stream): void {
    if (stream.exchange.aborted) return;
    stream.exchange.aborted = true;
    stream.exchange.res.cork(() => stream.exchange.res.end());
  }

  #forget(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    const left = (this.#byAccount.get(stream.account) ?? 1) - 1;
    if (left > 0) this.#byAccount.set(stream.account, left);
    else this.#byAccount.delete(stream.account);
    this.#context.stats.streams = this.#streams.size;
    stream.feed?.close();
    stream.feed = null;
  }
}
