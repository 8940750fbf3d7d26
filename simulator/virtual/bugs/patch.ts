/**
 * Changes to compiled code, for showing that a bug is found. The product has no switch for any of them: whoever runs a
 * broken product changes a copy, or the text on its way into the engine.
 *
 * Invariant: a patch that does not find its place exactly once is an error, so that a build is never taken for broken when
 * the product has moved on.
 */

export interface Patch {
  /** Within the compiled product. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Spaces and line breaks count as one space: how a compiler breaks its lines is its own business. */
export function replaceOnce(text: string, find: string, replace: string, where: string): string {
  const places = [...text.matchAll(placesOf(find))];
  if (places.length !== 1) throw new Error(`${where} has ${places.length} times, not once: ${find}`);
  const { index, 0: found } = places[0] as RegExpExecArray;
  return text.slice(0, index) + replace + text.slice(index + found.length);
}

function placesOf(find: string): RegExp {
  const words = find.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(words.join("\\s+"), "g");
}

const EXECUTOR = "src/actors/runtime/activation/executor.js";
const PENDING = "actor.pending.push({ delivery, dirty, seq, state, at, recorded, remembered, answer, atLeisure });";

/** Whoever asks is answered as soon as the handler has run; the commit follows, if nothing comes between. */
export const ACKNOWLEDGE_BEFORE_COMMIT: Patch = {
  file: EXECUTOR,
  find: PENDING,
  replace: `if (dirty && answer !== null) { this.#gate.open(actor, delivery, null, answer, at); answer = null; } ${PENDING}`,
};

/** A command that was answered before runs again. */
export const FORGET_ANSWERS: Patch = {
  file: EXECUTOR,
  find: "const known = actor.remembered?.get(delivery.id);",
  replace: "const known = undefined;",
};
