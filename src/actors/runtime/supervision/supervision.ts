/**
 * What happens when a handler throws. Counts throws per command id; at the limit the command is put aside as a dead
 * letter and its actor remembers it as `quarantined`, so that it can do no more harm and its sender stops sending it.
 *
 * The counts live in memory only: after a crash a poisoned command gets its three tries again.
 */
import type { Clock } from "../../../lib/clock.js";
import { encode } from "../../../lib/msgpack.js";
import type { Activation } from "../activation/activation.js";
import { Delivery } from "../activation/delivery.js";
import type { HostLog } from "../host/settings.js";
import type { ActorStore, DeadLetter } from "../ports.js";

const COUNTS_KEPT = 10_000;

export class Supervision {
  readonly #store: ActorStore;
  readonly #clock: Clock;
  readonly #log: HostLog;
  readonly #limit: number;
  readonly #throws = new Map<string, { count: number; readonly why: string }>();
  handlerThrows = 0;
  deadLetters = 0;

  constructor(store: ActorStore, clock: Clock, log: HostLog, limit: number) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#limit = limit;
  }

  /** True when this command has thrown so often that it must not run again. */
  isPoisoned(actor: Activation, delivery: Delivery): boolean {
    if (this.#throws.size === 0 || delivery.isAgain) return false;
    return (this.#throws.get(`${actor.text} ${delivery.id}`)?.count ?? 0) >= this.#limit;
  }

  threw(actor: Activation, delivery: Delivery, error: unknown): void {
    this.handlerThrows++;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.error({ kind: actor.kind.name, key: actor.key, command: delivery.name, error: stack }, "A handler threw");
    if (delivery.id === "" || delivery.isAgain) return;
    const id = `${actor.text} ${delivery.id}`;
    const count = (this.#throws.get(id)?.count ?? 0) + 1;
    this.#throws.delete(id);
    this.#throws.set(id, { count, why: String(error) });
    if (this.#throws.size > COUNTS_KEPT) this.#throws.delete(this.#throws.keys().next().value as string);
  }

  /** Puts the command aside, then delivers what makes the actor remember it. `failed` when the store did not take it. */
  quarantine(actor: Activation, poisoned: Delivery, done: (mark: Delivery) => void, failed: () => void): void {
    const why = this.#throws.get(`${actor.text} ${poisoned.id}`)?.why;
    const { caller, notAfter } = poisoned;
    const letter: DeadLetter = {
      id: `command:${actor.text}:${poisoned.id}`,
      kind: actor.kind.name,
      key: actor.key,
      name: poisoned.name,
      input: encode(poisoned.input),
      reason: `its handler threw ${this.#limit} times${why === undefined ? "" : `: ${why}`}`,
      at: this.#clock.now(),
      attempts: this.#limit,
      ...(caller === null ? {} : { caller }),
      ...(notAfter === null ? {} : { notAfter }),
    };
    this.deadLetter(letter).then(() => {
      const mark = new Delivery(
        "quarantine",
        poisoned.id,
        poisoned.name,
        null,
        null,
        poisoned.from,
        poisoned.endpoint,
        0,
      );
      mark.poisoned = poisoned;
      done(mark);
    }, failed);
  }

  async deadLetter(letter: DeadLetter): Promise<void> {
    await this.#store.deadLetter(letter);
    this.deadLetters++;
    this.#log.error({ id: letter.id, reason: letter.reason }, "A message was put aside as a dead letter");
  }
}
