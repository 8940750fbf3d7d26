/**
 * Passivation: which actors leave memory, and when. An actor leaves when it was idle for its kind's `idleMs`, or, least
 * recently used first, when room is needed. It never leaves with uncommitted work, unsent tells or effects, or (volatile
 * kinds) timers that only memory keeps. Listeners keep an actor in memory too, except when room is needed and nothing
 * else can go: then their subscriptions end with `overloaded` and they come back by themselves.
 */
import type { Activation } from "../activation/activation.js";

export interface KeeperEvents {
  activations(): Iterable<Activation>;
  hasOutbox(actor: Activation): boolean;
  passivate(actor: Activation): void;
  now(): number;
}

export class Keeper {
  readonly #events: KeeperEvents;
  readonly #shortestIdleMs: number;
  #sweptAt = 0;
  /** No actor is idle before that. */
  #nobodyBefore = 0;

  /** `shortestIdleMs`: of all kinds. */
  constructor(events: KeeperEvents, shortestIdleMs: number) {
    this.#events = events;
    this.#shortestIdleMs = shortestIdleMs;
  }

  /** Lets idle actors go. */
  sweep(): void {
    const now = this.#events.now();
    // Also after the wall clock was set back.
    if (now >= this.#sweptAt && now < this.#nobodyBefore) return;
    this.#sweptAt = now;
    // Whoever is used again is idle later, and whoever comes after this sweep is idle no sooner than this.
    let nobodyBefore = now + this.#shortestIdleMs;
    const idle: Activation[] = [];
    for (const actor of this.#events.activations()) {
      const idleAt = actor.lastUsedAt + actor.kind.definition.idleMs;
      if (idleAt < nobodyBefore) nobodyBefore = idleAt;
      if (now >= idleAt && this.#mayGo(actor) && !actor.hasListeners()) idle.push(actor);
    }
    this.#nobodyBefore = nobodyBefore;
    for (const actor of idle) this.#events.passivate(actor);
  }

  /** Lets up to `count` actors go, least recently used first; returns how many went. */
  makeRoom(count: number): number {
    const candidates: Activation[] = [];
    for (const actor of this.#events.activations()) if (this.#mayGo(actor)) candidates.push(actor);
    candidates.sort((a, b) => Number(a.hasListeners()) - Number(b.hasListeners()) || a.lastUsedAt - b.lastUsedAt);
    const going = candidates.slice(0, count);
    for (const actor of going) this.#events.passivate(actor);
    return going.length;
  }

  #mayGo(actor: Activation): boolean {
    if (actor.phase !== "active" || actor.waiting > 0) return false;
    if (!actor.kind.durable && (actor.timers?.size ?? 0) > 0) return false;
    return !this.#events.hasOutbox(actor);
  }
}
