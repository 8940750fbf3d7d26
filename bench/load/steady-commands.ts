/**
 * A generator of commands at a steady rate to many actors in turn, through one node, a process of its own: what `failover`
 * looks at while the actors' owner goes. A command that is refused for now is said again with its key until it is
 * answered, and its time counts from when it was due.
 */
import { Agent } from "node:http";
import { systemClock } from "../../src/lib/clock.js";
import type { Address } from "../harness/program-messages.js";
import { serveProgram } from "../harness/serve.js";
import { encoded, newHistogram, record } from "../lib/histogram.js";
import { post } from "./http-post.js";

export interface SteadyOptions {
  readonly address: Address;
  /** One of each actor's person; the actor is the restaurant's own. */
  readonly tokens: readonly string[];
  readonly perSecond: number;
}
export type SteadyQuestion =
  | { readonly do: "begin" }
  /** Something happens now to these actors. */
  | { readonly do: "mark"; readonly actors: readonly number[] }
  /** How many of the marked ones have been answered something that was sent since. */
  | { readonly do: "ask" }
  | { readonly do: "end" };
export interface SteadyAnswer {
  readonly answered: number;
  readonly seconds: number;
  readonly latency: string;
  readonly lag: string;
  /** Of each marked actor: from the mark to its first answer to something sent after it. */
  readonly firstAnswersMs: readonly number[];
  /** Of each marked actor: the longest that a command took which was due since the mark. */
  readonly pausesMs: readonly number[];
  readonly problems: readonly string[];
}

const clock = systemClock();
const TICK_MS = 5;
const PATH = "/v1/restaurants/me/open";
const BODY = '{"open":true}';
const GIVE_UP_MS = 60_000;
const RETRY_MS = 25;
const DRAIN_POLL_MS = 20;

await serveProgram(async ({ address, tokens, perSecond }: SteadyOptions) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  let [latency, lag] = [newHistogram(), newHistogram()];
  let [answered, underWay, next, began] = [0, 0, 0, 0];
  let problems: string[] = [];
  let markedAt = Number.POSITIVE_INFINITY;
  let first = new Map<number, number>();
  let longest = new Map<number, number>();
  let stop = (): void => undefined;

  async function command(number: number, dueAt: number): Promise<void> {
    const actor = number % tokens.length;
    const who = { token: tokens[actor]!, key: `steady-${number}` };
    underWay++;
    try {
      for (;;) {
        const sentAt = clock.monotonic();
        const answer = await post(agent, address, PATH, who, BODY).catch((cause: Error) => ({
          isOk: false,
          text: JSON.stringify({ error: { temporary: true, retryAfterMs: RETRY_MS, code: cause.message } }),
        }));
        const now = clock.monotonic();
        if (answer.isOk) {
          answered++;
          record(latency, now - dueAt);
          if (longest.has(actor) && now > markedAt)
            longest.set(actor, Math.max(longest.get(actor)!, now - Math.max(dueAt, markedAt)));
          if (sentAt > markedAt && first.get(actor) === Number.POSITIVE_INFINITY) first.set(actor, now - markedAt);
          return;
        }
        const { error } = JSON.parse(answer.text) as { error: { temporary: boolean; retryAfterMs?: number } };
        if (!error.temporary || now - dueAt > GIVE_UP_MS) {
          problems.push(`a command was answered ${answer.text}`);
          return;
        }
        await new Promise<void>(
          (resolve) => void clock.after(Math.min(RETRY_MS, error.retryAfterMs ?? RETRY_MS), resolve),
        );
      }
    } finally {
      underWay--;
    }
  }

  function begin(): void {
    [latency, lag, problems] = [newHistogram(), newHistogram(), []];
    [answered, markedAt] = [0, Number.POSITIVE_INFINITY];
    [first, longest] = [new Map(), new Map()];
    began = clock.monotonic();
    let cursor = 0;
    stop = clock.every(TICK_MS, () => {
      const now = clock.monotonic();
      for (; ; cursor++) {
        const dueAt = began + (cursor * 1000) / perSecond;
        if (dueAt > now) return;
        record(lag, now - dueAt);
        void command(next++, dueAt);
      }
    });
  }

  async function end(): Promise<SteadyAnswer> {
    stop();
    const seconds = (clock.monotonic() - began) / 1000;
    while (underWay > 0) await new Promise<void>((resolve) => void clock.after(DRAIN_POLL_MS, resolve));
    return {
      answered,
      seconds,
      latency: encoded(latency),
      lag: encoded(lag),
      firstAnswersMs: [...first.values()],
      pausesMs: [...longest.values()],
      problems: problems.slice(0, 10),
    };
  }

  return {
    address: null,
    async answer(question) {
      const asked = question as SteadyQuestion;
      switch (asked.do) {
        case "begin":
          return begin();
        case "mark":
          first = new Map(asked.actors.map((actor) => [actor, Number.POSITIVE_INFINITY]));
          longest = new Map(asked.actors.map((actor) => [actor, 0]));
          markedAt = clock.monotonic();
          return null;
        case "ask":
          return [...first.values()].filter((ms) => ms < Number.POSITIVE_INFINITY).length;
        case "end":
          return end();
      }
    },
    async stop() {
      stop();
      agent.destroy();
    },
  };
});
