/**
 * How much of one thing somebody may have under way at a time. A rate alone lets a burst of costly questions stand in
 * front of everybody else's. Bounded: it holds those who are waiting for an answer, and nobody else.
 */
export class AtOnce {
  readonly #most: number;
  readonly #underWay = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** False: as many as there may be are under way. After true comes `leave`, once. */
  enter(who: string): boolean {
    const count = this.#underWay.get(who) ?? 0;
    if (count >= this.#most) return false;
    this.#underWay.set(who, count + 1);
    return true;
  }

  leave(who: string): void {
    const left = (this.#underWay.get(who) ?? 1) - 1;
    if (left > 0) this.#underWay.set(who, left);
    else this.#underWay.delete(who);
  }
}
