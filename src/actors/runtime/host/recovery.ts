/**
 * What becomes of an actor whose commit was refused: it is restored to its committed state, and what was not committed
 * runs again on that, in order, now knowing why (a claim is taken, a command was done before).
 *
 * Invariant: every restore makes progress, or is given up after `MOST_RESTORES` in a row.
 */
import type { Activation } from "../activation/activation.js";
import { claimText } from "../activation/delivery.js";
import type { Executor } from "../activation/executor.js";
import type { Loader } from "../activation/loader.js";
import type { PreparedWrite } from "../committer/write.js";
import type { WriteFailure } from "../ports.js";
import type { HostLog } from "./settings.js";

const MOST_RESTORES = 8;

export class Recovery {
  readonly #loader: Loader;
  readonly #executor: Executor;
  readonly #log: HostLog;
  /** Lets the actor leave memory; what waits is answered `unavailable`. */
  readonly #giveUp: (actor: Activation) => void;

  constructor(loader: Loader, executor: Executor, log: HostLog, giveUp: (actor: Activation) => void) {
    this.#loader = loader;
    this.#executor = executor;
    this.#log = log;
    this.#giveUp = giveUp;
  }

  /** The store has refused the actor's write. */
  refused({ actor }: PreparedWrite, failure: WriteFailure): void {
    switch (failure.reason) {
      case "claim_taken": {
        const { claim, value } = failure;
        for (const { delivery, recorded } of actor.pending) {
          if (!recorded?.claims?.some((one) => one.claim === claim && one.value === value)) continue;
          delivery.taken ??= new Set();
          delivery.taken.add(claimText(claim, value));
        }
        break;
      }
      case "duplicate_command":
        for (const { delivery, remembered } of actor.pending) {
          if (remembered?.id === failure.commandId) delivery.committedBefore = true;
        }
        break;
      case "stale_seq":
        break;
      case "invalid":
        this.unwritable(actor, new Error(`The store cannot hold what was written: ${failure.detail}`));
        return;
    }
    this.#restore(actor, failure.reason);
  }

  /** What the actor wants to write cannot be written, now or ever. The run at fault is found by writing one at a time. */
  unwritable(actor: Activation, error: unknown): void {
    if (actor.isolated || actor.pending.length === 1) {
      const guilty = this.#executor.dismissOldest(actor);
      if (guilty !== null) this.#executor.blame(actor, guilty, error);
    }
    actor.isolated = true;
    this.#restore(actor, "unwritable");
  }

  #restore(actor: Activation, reason: string): void {
    actor.restores++;
    if (actor.restores > MOST_RESTORES) {
      this.#log.error({ actor: actor.text, reason }, "An actor is dropped: its commits are refused again and again");
      this.#giveUp(actor);
      return;
    }
    this.#executor.takeBack(actor);
    actor.phase = "loading";
    const commandIds: string[] = [];
    for (const delivery of actor.mailbox) if (delivery.committedBefore) commandIds.push(delivery.id);
    this.#loader.add(actor, commandIds);
  }
}
