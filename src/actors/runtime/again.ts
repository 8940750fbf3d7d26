/**
 * Drives again what was put aside as a dead letter. Owns what a letter's id says about where it came from; does not own
 * the letters, nor who may ask for it.
 *
 * Invariant: under one command id a letter acts once, however often it is driven, for as long as command ids are kept.
 */
import { decode } from "../../lib/msgpack.js";
import { AGAIN, type AgainContract } from "./activation/again.js";
import type { ActorClient, AskOptions, AskResult } from "./client.js";
import type { EffectOrder } from "./context.js";
import { actorRef } from "./definition.js";
import type { ActorAddress, DeadLetter } from "./ports.js";

/** How a message came to be put aside. */
export type LetterSource = "command" | "tell" | "effect";

const EFFECT = "effect ";
/** Ids of messages that the engine itself made; all others are a caller's. */
const INNER = /^(?:tell|timer|effect):/;

/** `kind/key`: a kind has no slash in it. */
function addressOf(text: string): ActorAddress {
  const slash = text.indexOf("/");
  return { kind: text.slice(0, slash), key: text.slice(slash + 1) };
}

/** The sender in `kind/key:number`. */
const senderOf = (text: string): ActorAddress => addressOf(text.slice(0, text.lastIndexOf(":")));

/**
 * Asks for it. The answer is that of the command itself; of an effect or a tell, that it is under way. `unknown_caller`,
 * for good: it was put aside by a release that did not note down who had asked.
 */
export async function driveAgain(
  client: Pick<ActorClient, "ask">,
  letter: DeadLetter,
  options: AskOptions,
): Promise<AskResult<unknown>> {
  const { id, kind, key, name } = letter;
  const input = decode<unknown>(letter.input);
  const ref = actorRef<AgainContract>(kind);
  if (id.startsWith("effect:")) {
    const order = input as EffectOrder;
    return client.ask(ref, key, "@effect", { ...order, name: name.slice(EFFECT.length) }, options);
  }
  if (id.startsWith("tell:")) {
    const sender = senderOf(id.slice("tell:".length));
    const message = { to: { kind, key }, name, input };
    return client.ask(actorRef<AgainContract>(sender.kind), sender.key, "@tell", message, options);
  }
  const commandId = id.slice(`command:${kind}/${key}:`.length);
  const { caller = null, notAfter } = letter;
  if (caller === null && !INNER.test(commandId))
    return { ok: false, error: { code: "unknown_caller", temporary: false } };
  const from = caller === null && commandId.startsWith("tell:") ? senderOf(commandId.slice("tell:".length)) : null;
  const timely = notAfter === undefined ? options : { ...options, notAfter };
  return client.ask(ref, key, AGAIN, { name, input, caller, from }, timely);
}
