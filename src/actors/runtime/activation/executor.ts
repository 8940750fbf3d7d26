/**
 * Runs messages on actors: admission to the mailbox, de-duplication, the handler, and what follows from its result. It
 * does not commit (`committer/`), speak (`gate/`) or load (`loader.ts`).
 *
 * Invariants:
 * - One handler at a time; an actor's messages run in the order in which they were admitted.
 * - A run whose effects or answer depend on uncommitted state waits in `pending` behind that state.
 * - A command id that was remembered never runs its handler again.
 *
 * What is remembered (a row in the store, in the commit of the run): every ask, tell and effect result that changed or
 * said something durable; every refusal of an ask; every tell and effect result of an actor that exists. Not kept in
 * the store, only in memory: replies that changed nothing, and `not_found` from an actor that does not exist, so that
 * guessing keys creates no rows.
 */

import type { Channels } from "../channels/channels.js";
import type { ActorError } from "../client.js";
import type { RunContext } from "../context.js";
import { Rejection } from "../definition.js";
import type { Gate } from "../gate/gate.js";
import type { HostHooks, HostSettings } from "../host/settings.js";
import type { RememberedCommand } from "../ports.js";
import { isSame } from "../shard.js";
import type { Supervision } from "../supervision/supervision.js";
import type { Activation, Answer, CommandRuntime, Remembered } from "./activation.js";
import type { Delivery } from "./delivery.js";
import { decodeOutcome, encodeOutcome, NO_OUTCOME, type Outcome } from "./outcome.js";
import type { Ahead, Recorded } from "./recorded.js";

export interface ExecutorEvents {
  /** The time of this turn, milliseconds since the epoch. */
  now(): number;
  turn(work: () => void): void;
  dirty(actor: Activation): void;
  /** The same, but nobody waits for it before so much time has passed. */
  dirtyAtLeisure(actor: Activation, withinMs: number): void;
  /** Something that it told before is not with its receiver yet. */
  hasUnsent(actor: Activation): boolean;
  storeStalled(): boolean;
  /** The message is not handled: its sender is told, or it comes again by itself. */
  refuse(actor: Activation, delivery: Delivery, error: ActorError): void;
  /** The outcome that the store remembers, or null. */
  recall(actor: Activation, commandId: string): Promise<RememberedCommand | null>;
}

const INTERNAL: ActorError = { code: "internal", temporary: true };
const ACCEPTED: Answer = { t: "outcome", outcome: { t: "reply", value: null } };
/** All that is kept of a tell or an effect's result. */
const HANDLED: Remembered = { bodyHash: "", outcome: { t: "reply", value: null } };
const EXPIRED: Answer = { t: "error", error: { code: "expired", temporary: false } };

export class Executor {
  readonly #context: RunContext;
  readonly #gate: Gate;
  readonly #channels: Channels;
  readonly #supervision: Supervision;
  readonly #settings: HostSettings;
  readonly #hooks: HostHooks;
  readonly #events: ExecutorEvents;
  /** Messages in mailboxes and at gates, over all actors. */
  queued = 0;
  handlerRuns = 0;
  overloaded = 0;
  /** The most messages of one actor that waited at once, ever. */
  longestMailbox = 0;

  constructor(
    context: RunContext,
    gate: Gate,
    channels: Channels,
    supervision: Supervision,
    settings: HostSettings,
    hooks: HostHooks,
    events: ExecutorEvents,
  ) {
    this.#context = context;
    this.#gate = gate;
    this.#channels = channels;
    this.#supervision = supervision;
    this.#settings = settings;
    this.#hooks = hooks;
    this.#events = events;
  }

  /** Takes a message for the actor: runs it now or queues it, or refuses it when a bound is reached. */
  admit(actor: Activation, delivery: Delivery): void {
    actor.lastUsedAt = this.#events.now();
    const pending = actor.pending.length;
    const waiting = actor.mailbox.length + pending;
    if (waiting >= this.#settings.mailboxLimit || this.queued >= this.#settings.maxQueued) {
      this.overloaded++;
      this.#refuse(actor, delivery, "overloaded");
      return;
    }
    if (pending >= this.#settings.stalledPending && this.#events.storeStalled()) {
      this.#refuse(actor, delivery, "unavailable");
      return;
    }
    this.longestMailbox = Math.max(this.longestMailbox, waiting + 1);
    if (actor.phase === "active" && waiting === pending && pending < this.#settings.pipelineDepth) {
      this.#run(actor, delivery);
    } else {
      actor.mailbox.push(delivery);
      this.queued++;
    }
  }

  /** Runs what waits in the mailbox, as far as the pipeline allows. */
  pump(actor: Activation): void {
    while (actor.phase === "active" && actor.pending.length < this.#settings.pipelineDepth) {
      const delivery = actor.mailbox.shift();
      if (delivery === undefined) return;
      this.queued--;
      this.#run(actor, delivery);
    }
  }

  /** The first `runs` runs are committed: they, and what only waited for them, leave through the gate. */
  release(actor: Activation, runs: number): void {
    let count = runs;
    while (actor.pending[count]?.dirty === false) count++;
    const units = count === actor.pending.length ? actor.pending : actor.pending.slice(0, count);
    actor.pending = units === actor.pending ? [] : actor.pending.slice(count);
    this.queued -= count;
    for (const unit of units) this.#gate.open(actor, unit.delivery, unit.recorded, unit.answer, unit.at);
  }

  /** Takes all runs back: their messages go to the front of the mailbox, in order. */
  takeBack(actor: Activation): void {
    actor.mailbox.unshiftAll(actor.pending.map((unit) => unit.delivery));
    actor.pending = [];
    actor.inFlight = 0;
    for (const channel of actor.channels?.values() ?? []) channel.arriving = 0;
  }

  /** Takes the oldest run out: it is not to be run again. */
  dismissOldest(actor: Activation): Delivery | null {
    const unit = actor.pending.shift();
    if (unit === undefined) return null;
    this.queued--;
    return unit.delivery;
  }

  /** Counts a failure against the message: its sender hears `internal`, or at the limit it is quarantined. */
  blame(actor: Activation, delivery: Delivery, error: unknown): void {
    this.#supervision.threw(actor, delivery, error);
    if (this.#supervision.isPoisoned(actor, delivery)) this.#quarantine(actor, delivery);
    else this.#events.refuse(actor, delivery, INTERNAL);
  }

  #run(actor: Activation, delivery: Delivery): void {
    const now = Math.max(this.#events.now(), actor.lastTime);
    switch (delivery.source) {
      case "subscribe":
        this.#subscribe(actor, delivery, now);
        return;
      case "unsubscribe":
        this.#finish(actor, delivery, false, null, null, { t: "unsubscribed" }, now);
        return;
      case "quarantine":
        this.#markQuarantined(actor, delivery, now);
        return;
      case "timer": {
        const name = delivery.timer?.name ?? "";
        const row = actor.timers?.get(name);
        if (row === undefined || row.at !== delivery.number) {
          // Replaced or cancelled since: the wake-up is out of date. Unless the commit of that is refused: then it was not,
          // so it comes again; once committed, it does not.
          if (actor.pending.some(({ recorded }) => recorded?.timers?.has(name))) {
            this.#refuse(actor, delivery, "unavailable");
          }
          return;
        }
        if (row.at > now) {
          // The machine's clock was set back since.
          this.#refuse(actor, delivery, "unavailable");
          return;
        }
        break;
      }
      case "ask":
      case "tell":
      case "cast":
      case "effect":
        break;
    }
    const command = actor.kind.commands.get(delivery.name);
    if (command === undefined) {
      this.#unknownCommand(actor, delivery, now);
      return;
    }
    const remembering = !command.volatile && delivery.id !== "" && delivery.source !== "timer";
    if (remembering) {
      const known = actor.remembered?.get(delivery.id);
      if (known !== undefined) {
        const reused = known.bodyHash !== "" && delivery.bodyHash !== "" && known.bodyHash !== delivery.bodyHash;
        const answer: Answer = reused
          ? { t: "error", error: { code: "key_reused", temporary: false } }
          : { t: "outcome", outcome: known.outcome };
        this.#finish(actor, delivery, false, null, null, answer, now);
        return;
      }
    }
    if (delivery.notAfter !== null && now > delivery.notAfter) {
      this.#expired(actor, delivery, now);
      return;
    }
    if (!command.volatile && this.#supervision.isPoisoned(actor, delivery)) {
      this.#quarantine(actor, delivery);
      return;
    }
    this.#handle(actor, delivery, command, remembering, now);
  }

  #handle(actor: Activation, delivery: Delivery, command: CommandRuntime, remembering: boolean, now: number): void {
    const context = this.#context;
    let outcome: Outcome;
    let row: RememberedCommand | null = null;
    let recorded: Recorded | null;
    let dirty: boolean;
    context.begin(actor, delivery, now, command.volatile);
    this.#hooks.handlerStarted?.(actor.kind.name, actor.key, delivery.name);
    this.handlerRuns++;
    try {
      const result = command.handler(context, delivery.input);
      if (result instanceof Rejection) {
        context.discard();
        outcome = { t: "rejection", code: result.code, detail: result.detail };
      } else {
        if (result instanceof Promise)
          throw new TypeError("A handler must be synchronous; I/O goes through ctx.effect");
        outcome = { t: "reply", value: result ?? null };
      }
      if (delivery.source === "timer") context.removeFiredTimer(delivery.timer?.name ?? "");
      recorded = context.end();
      const durable = recorded?.durable ?? false;
      const kept = remembering && (durable || mustRemember(actor, delivery, outcome));
      dirty = actor.kind.durable && (durable || kept);
      if (kept) {
        const bytes = delivery.source === "ask" ? encodeOutcome(outcome) : NO_OUTCOME;
        row = { id: delivery.id, bodyHash: delivery.bodyHash, outcome: bytes };
      }
    } catch (error) {
      context.discard();
      context.end();
      this.#hooks.handlerEnded?.();
      this.#threw(actor, delivery, command, error, now);
      return;
    }
    this.#hooks.handlerEnded?.();
    actor.lastTime = now;
    if (dirty) actor.seq++;
    if (recorded !== null) this.#apply(actor, recorded);
    if (remembering) {
      const entry = delivery.source === "ask" ? { bodyHash: delivery.bodyHash, outcome } : HANDLED;
      actor.remember(delivery.id, entry, this.#settings.rememberedPerActor);
    }
    const answer: Answer | null = delivery.source === "ask" ? { t: "outcome", outcome } : null;
    this.#finish(actor, delivery, dirty, recorded, row, answer, now);
  }

  /** The head becomes what the run made of it. */
  #apply(actor: Activation, recorded: Recorded): void {
    if (recorded.became) actor.state = recorded.next;
    if (recorded.tells !== null) actor.nextTell += recorded.tells.length;
    if (recorded.events !== null) actor.nextEvent += recorded.events.length;
    if (recorded.timers !== null) {
      actor.timers ??= new Map();
      for (const [name, timer] of recorded.timers) {
        if (timer === null) actor.timers.delete(name);
        else actor.timers.set(name, timer);
      }
    }
    if (recorded.pushes !== null) {
      for (const said of recorded.said ?? []) {
        if (said.t !== "event") continue;
        const channel = actor.channel(said.channel);
        if (channel !== undefined) this.#channels.keep(channel, said.item);
      }
    }
  }

  #finish(
    actor: Activation,
    delivery: Delivery,
    dirty: boolean,
    recorded: Recorded | null,
    remembered: RememberedCommand | null,
    answer: Answer | null,
    at: number,
  ): void {
    if (!dirty && actor.pending.length === 0) {
      this.#gate.open(actor, delivery, recorded, answer, at);
      return;
    }
    if (!dirty && delivery.source === "cast") {
      // A cast that only looked, or only touched what is volatile, has nothing to hold back.
      if (!recorded?.said) {
        if (isAnswer(actor, delivery)) this.#events.dirty(actor);
        return;
      }
      if (recorded.overtakes && actor.pending.every((unit) => unit.atLeisure)) {
        this.#gate.open(actor, delivery, recorded, answer, at);
        return;
      }
    }
    const mayWaitMs = dirty && delivery.source !== "ask" ? (recorded?.mayWaitMs ?? 0) : 0;
    const atLeisure = mayWaitMs > 0;
    const { seq, state } = actor;
    actor.pending.push({ delivery, dirty, seq, state, at, recorded, remembered, answer, atLeisure });
    this.queued++;
    if (atLeisure) this.#events.dirtyAtLeisure(actor, mayWaitMs);
    else if (recorded?.ahead && this.#sayAhead(actor, recorded.ahead)) {
      this.#events.dirtyAtLeisure(actor, recorded.aheadMs);
    }
    // Also what only looked: what it saw may have been put off.
    else this.#events.dirty(actor);
  }

  /** False: it would overtake something, or cannot be said; then it goes the way of every tell. */
  #sayAhead(actor: Activation, tells: readonly Ahead[]): boolean {
    return actor.pending.length === 1 && !this.#events.hasUnsent(actor) && this.#gate.sayAhead(actor, tells);
  }

  #subscribe(actor: Activation, delivery: Delivery, now: number): void {
    let answer: Answer;
    try {
      answer = this.#channels.prepare(actor, delivery, now);
    } catch (error) {
      this.#supervision.threw(actor, delivery, error);
      answer = { t: "error", error: INTERNAL };
    }
    this.#finish(actor, delivery, false, null, null, answer, now);
  }

  #unknownCommand(actor: Activation, delivery: Delivery, now: number): void {
    if (delivery.source === "ask") {
      const answer: Answer = { t: "error", error: { code: "unknown_command", temporary: false } };
      this.#finish(actor, delivery, false, null, null, answer, now);
      return;
    }
    this.blame(actor, delivery, new Error(`There is no command "${delivery.name}"`));
  }

  /** Too late: but if it was done in time, its sender hears what was answered then. */
  #expired(actor: Activation, delivery: Delivery, now: number): void {
    if (!actor.rememberedTruncated || delivery.id === "") {
      this.#finish(actor, delivery, false, null, null, EXPIRED, now);
      return;
    }
    this.#events.recall(actor, delivery.id).then(
      (found) =>
        this.#events.turn(() => {
          const answer: Answer = found === null ? EXPIRED : { t: "outcome", outcome: decodeOutcome(found.outcome) };
          this.#gate.open(actor, delivery, null, answer, now);
        }),
      () => this.#events.turn(() => this.#refuse(actor, delivery, "unavailable")),
    );
  }

  #threw(actor: Activation, delivery: Delivery, command: CommandRuntime, error: unknown, now: number): void {
    this.#supervision.threw(actor, delivery, error);
    if (!command.volatile && this.#supervision.isPoisoned(actor, delivery)) {
      this.#quarantine(actor, delivery);
      return;
    }
    if (delivery.source === "ask") {
      this.#finish(actor, delivery, false, null, null, { t: "error", error: INTERNAL }, now);
      return;
    }
    if (command.volatile && delivery.source === "tell") {
      // Nothing counts tells that are never remembered: one that throws is done with.
      this.#finish(actor, delivery, false, null, null, null, now);
      return;
    }
    this.#events.refuse(actor, delivery, INTERNAL);
  }

  #quarantine(actor: Activation, delivery: Delivery): void {
    this.#supervision.quarantine(
      actor,
      delivery,
      (mark) =>
        this.#events.turn(() => {
          if (actor.phase === "gone") this.#events.refuse(actor, delivery, INTERNAL);
          else this.admit(actor, mark);
        }),
      () => this.#events.turn(() => this.#events.refuse(actor, delivery, INTERNAL)),
    );
  }

  /** The poisoned message counts as handled: remembered, or for a timer removed, by a commit. */
  #markQuarantined(actor: Activation, mark: Delivery, now: number): void {
    const poisoned = mark.poisoned;
    if (poisoned === null) return;
    const outcome: Outcome = { t: "quarantined" };
    const answer: Answer = poisoned.source === "ask" ? { t: "outcome", outcome } : ACCEPTED;
    if (!actor.kind.durable || actor.remembered?.has(mark.id)) {
      this.#finish(actor, mark, false, null, null, answer, now);
      return;
    }
    this.#context.begin(actor, mark, now, false);
    const { timer } = poisoned;
    if (timer !== null && actor.timers?.get(timer.name)?.at === timer.at) this.#context.removeFiredTimer(timer.name);
    const recorded = this.#context.end();
    if (recorded !== null) this.#apply(actor, recorded);
    actor.seq++;
    actor.lastTime = now;
    actor.remember(mark.id, { bodyHash: "", outcome }, this.#settings.rememberedPerActor);
    const row = poisoned.timer === null ? { id: mark.id, bodyHash: "", outcome: encodeOutcome(outcome) } : null;
    this.#finish(actor, mark, true, recorded, row, answer, now);
  }

  #refuse(actor: Activation, delivery: Delivery, code: "overloaded" | "unavailable"): void {
    this.#events.refuse(actor, delivery, { code, temporary: true, retryAfterMs: this.#settings.retryAfterMs });
  }
}

/** From somebody whose answer the actor's commit waits for. */
function isAnswer(actor: Activation, { from }: Delivery): boolean {
  if (from === null) return false;
  const ahead = actor.pending[0]?.recorded?.ahead ?? [];
  return ahead.some(({ tell }) => isSame(tell.to, from));
}

function mustRemember(actor: Activation, delivery: Delivery, outcome: Outcome): boolean {
  const exists = actor.seq > 0;
  if (delivery.source !== "ask") return exists;
  return outcome.t === "rejection" && (exists || outcome.code !== "not_found");
}
