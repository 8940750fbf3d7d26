/**
 * Announcements by server-sent events, for pages that hold no socket. Each event is one announcement that stands
 * (`announcement`) or is over (`withdrawn`); a stream begins with all that stand.
 *
 * Invariants: a stream that cannot be written to holds nothing but the wish to be told anew; a stream ends with the token
 * that opened it; their number is bounded, in all and for an account.
 */
import type { Announcement } from "../../protocol/mod.js";
import type { AnnouncementService, Reader } from "../../services/announcements/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import { type Answer, problem } from "../http/answer.js";
import { commonHeaders, type Exchange, watchAbort } from "../http/exchange.js";
import { statusText } from "../http/problem.js";
import { NewsQuery, queryOf } from "../http/queries.js";
import { count } from "../stats.js";

const EVENT_STREAM = "text/event-stream";

interface Stream {
  readonly exchange: Exchange;
  readonly principal: Principal;
  readonly account: string;
  readonly reader: Reader;
  stop: () => void;
  /** The native side has enough for now; what happens meanwhile is told as a whole afterwards. */
  blocked: boolean;
}

export class AnnouncementStreams {
  readonly #context: GatewayContext;
  readonly #service: AnnouncementService;
  readonly #streams = new Set<Stream>();

  constructor(context: GatewayContext, service: AnnouncementService) {
    this.#context = context;
    this.#service = service;
  }

  open(exchange: Exchange): Answer {
    const { settings, phase, stats } = this.#context;
    const { principal } = exchange;
    if (principal === null) return problem("unauthenticated");
    const query = queryOf(NewsQuery, exchange.query);
    if (!query.ok) return query.answer;
    if (phase !== "serving") return problem("draining", undefined, 1_000);
    if (this.#streams.size >= settings.maxStreams) return problem("overloaded", undefined, 2_000);
    const account = `${principal.role}/${principal.id}`;
    const ofAccount = [...this.#streams].filter((stream) => stream.account === account).length;
    const { maxConnectionsPerUser } = settings;
    if (ofAccount >= maxConnectionsPerUser) return problem("overloaded", { maxConnectionsPerUser }, 2_000);
    if (exchange.headOnly) return { kind: "body", status: 200, body: "", contentType: EVENT_STREAM };
    const reader = { role: principal.role, zone: query.values.zone ?? null };
    const stream: Stream = { exchange, principal, account, reader, stop: () => {}, blocked: false };
    this.#streams.add(stream);
    watchAbort(exchange);
    exchange.onAbort = () => this.#forget(stream);
    exchange.answered = true;
    count(stats.httpStatuses, 200);
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
      this.#all(stream);
      return true;
    });
    stream.stop = this.#service.follow(reader, (shown) => {
      if (shown.kind === "show") this.#write(stream, eventOf(shown.announcement));
      else this.#write(stream, `event: withdrawn\ndata: {"announcementId":"${shown.announcementId}"}\n\n`);
    });
    this.#all(stream);
    return { kind: "taken" };
  }

  /** Heartbeats; ends those whose token has ended or was revoked. */
  beat(): void {
    const { clock, tokens } = this.#context;
    for (const stream of [...this.#streams]) {
      const { principal } = stream;
      if (principal.expiresAt > clock.now() && tokens.revoked(principal) === null) this.#write(stream, ": \n\n");
      else this.#end(stream);
    }
  }

  close(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  /** What stands, with a word that it is all: a page forgets what is not among it. */
  #all(stream: Stream): void {
    const standing = this.#service.shownTo(stream.reader);
    this.#write(stream, `event: standing\ndata: ${JSON.stringify(standing.map((each) => each.announcementId))}\n\n`);
    for (const announcement of standing) this.#write(stream, eventOf(announcement));
  }

  #write(stream: Stream, text: string): void {
    if (stream.blocked || stream.exchange.aborted) return;
    stream.exchange.res.cork(() => {
      if (!stream.exchange.res.write(text)) stream.blocked = true;
    });
  }

  #end(stream: Stream): void {
    this.#forget(stream);
    if (stream.exchange.aborted) return;
    stream.exchange.aborted = true;
    stream.exchange.res.cork(() => stream.exchange.res.end());
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream);
    stream.stop();
  }
}

function eventOf(announcement: Announcement): string {
  return `event: announcement\ndata: ${JSON.stringify(announcement)}\n\n`;
}
