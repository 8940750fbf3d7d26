/**
 * Search from another thread. One thread of a node holds the catalogue and answers; every gateway thread asks it through
 * a pipe of its own.
 *
 * Invariants of the asking side: every question is answered once; at most `maxWaiting` wait; one that is not answered in
 * time is `unavailable`, and so are all that wait when the answering side has started anew.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { JsonObject } from "../../lib/json.js";
import type { SearchAnswer, SearchEngine, SearchQuestion, SearchQuestions } from "./engine.js";
import type { Pipe } from "./ports.js";

type ToSearch =
  | { readonly t: "ask"; readonly id: number; readonly question: SearchQuestion; readonly query: unknown }
  | { readonly t: "measure"; readonly id: number };
type FromSearch =
  | { readonly t: "answer"; readonly id: number; readonly answer: SearchAnswer }
  | { readonly t: "measured"; readonly id: number; readonly snapshot: readonly object[] }
  /** The answering side has just come up and knows of no question. */
  | { readonly t: "up" };

export type AskedAnswer =
  | SearchAnswer
  | {
      readonly ok: false;
      readonly code: "overloaded" | "unavailable";
      readonly retryAfterMs: number;
      readonly detail?: JsonObject;
    };

export interface SearchClient {
  ask<Q extends SearchQuestion>(question: Q, query: SearchQuestions[Q]["query"]): Promise<AskedAnswer>;
  /** What the answering side has measured; empty when it does not answer. */
  measured(): Promise<readonly object[]>;
  close(): void;
}

export interface SearchClientSettings {
  readonly timeoutMs: number;
  readonly maxWaiting: number;
}

export const DEFAULT_SEARCH_CLIENT_SETTINGS: SearchClientSettings = { timeoutMs: 2_000, maxWaiting: 1_000 };

const RETRY_AFTER_MS = 1_000;
const UNAVAILABLE: AskedAnswer = { ok: false, code: "unavailable", retryAfterMs: RETRY_AFTER_MS };

export function createSearchClient(options: {
  readonly pipe: Pipe;
  readonly clock: Clock;
  readonly settings?: Partial<SearchClientSettings>;
}): SearchClient {
  const { pipe, clock } = options;
  const { timeoutMs, maxWaiting } = { ...DEFAULT_SEARCH_CLIENT_SETTINGS, ...options.settings };
  interface Waiting {
    readonly dueAt: number;
    readonly settle: (message: FromSearch | null) => void;
  }
  /** In the order of asking, which is the order of their time-outs. */
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let closed = false;
  let timer: Cancel | null = null;

  function expire(): void {
    timer = null;
    for (const [id, { dueAt, settle }] of waiting) {
      if (dueAt > clock.monotonic()) break;
      waiting.delete(id);
      settle(null);
    }
    watch();
  }

  function watch(): void {
    const first = waiting.values().next().value;
    if (timer !== null || first === undefined) return;
    timer = clock.after(Math.max(1, Math.ceil(first.dueAt - clock.monotonic())), expire);
  }

  function failAll(): void {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { settle } of all) settle(null);
  }

  function send(make: (id: number) => ToSearch): Promise<FromSearch | null> {
    if (closed) return Promise.resolve(null);
    return new Promise((settle) => {
      const id = ++asked;
      waiting.set(id, { dueAt: clock.monotonic() + timeoutMs, settle });
      pipe.post(make(id));
      watch();
    });
  }

  pipe.hear((heard) => {
    const message = heard as FromSearch;
    if (message.t === "up") {
      failAll();
      return;
    }
    const asker = waiting.get(message.id);
    waiting.delete(message.id);
    asker?.settle(message);
  });

  return {
    async ask(question, query) {
      if (waiting.size >= maxWaiting) return { ok: false, code: "overloaded", retryAfterMs: RETRY_AFTER_MS };
      const heard = await send((id) => ({ t: "ask", id, question, query }));
      if (heard?.t !== "answer") return UNAVAILABLE;
      const { answer } = heard;
      return !answer.ok && answer.code === "unavailable" ? UNAVAILABLE : answer;
    },
    async measured() {
      const heard = await send((id) => ({ t: "measure", id }));
      return heard?.t === "measured" ? heard.snapshot : [];
    },
    close() {
      closed = true;
      timer?.();
      failAll();
      pipe.close();
    },
  };
}

/** Answers what comes through the pipe. */
export function serveSearch(pipe: Pipe, engine: SearchEngine, measured: () => Promise<readonly object[]>): void {
  const post = (message: FromSearch): void => pipe.post(message);
  pipe.hear((heard) => {
    const message = heard as ToSearch;
    const { id } = message;
    if (message.t === "measure") {
      measured().then(
        (snapshot) => post({ t: "measured", id, snapshot }),
        () => post({ t: "measured", id, snapshot: [] }),
      );
      return;
    }
    const answer = engine.ask(message.question, message.query as never);
    if (answer instanceof Promise) {
      answer.then(
        (settled) => post({ t: "answer", id, answer: settled }),
        () => post({ t: "answer", id, answer: { ok: false, code: "internal" } }),
      );
    } else post({ t: "answer", id, answer });
  });
  post({ t: "up" });
}
