/**
 * Turns messages from the link into deliveries to actors, and hands the answers to our own tells on. It decides nothing
 * about actors; admission by credit is decided here because only here is it known which peer asks.
 */
import { decode } from "../../../lib/msgpack.js";
import type { Activation } from "../activation/activation.js";
import { AGAIN, type AgainContract, isAgain } from "../activation/again.js";
import { Delivery, tellId } from "../activation/delivery.js";
import type { SaidCast } from "../activation/recorded.js";
import type { ActorError } from "../client.js";
import { readContext } from "../context.js";
import type { EndpointId, LinkMessage } from "../link.js";
import type { ActorAddress } from "../ports.js";
import type { Credits } from "./credits.js";

export interface RouterEvents {
  deliver(to: ActorAddress, delivery: Delivery): void;
  /** To one that was in memory a moment ago. */
  deliverHere(actor: Activation, delivery: Delivery): void;
  refuse(to: ActorAddress, delivery: Delivery, error: ActorError): void;
  /** Only an actor that is in memory can have listeners or a channel to trim. */
  inMemory(address: ActorAddress): Activation | undefined;
  admit(actor: Activation, delivery: Delivery): void;
  told(from: ActorAddress, number: number): void;
  readonly credits: Credits;
  /** Milliseconds since the epoch. */
  now(): number;
  retryAfterMs: number;
}

type Message<T extends LinkMessage["t"]> = Extract<LinkMessage, { t: T }>;

export class Router {
  readonly #events: RouterEvents;

  constructor(events: RouterEvents) {
    this.#events = events;
  }

  receive(from: EndpointId, messages: readonly (LinkMessage | SaidCast)[]): void {
    for (const message of messages) this.#route(from, message);
  }

  #route(from: EndpointId, message: LinkMessage | SaidCast): void {
    switch (message.t) {
      case "ask":
        this.#ask(from, message);
        break;
      case "cast": {
        const { to, name, input, caller } = message;
        const delivery = new Delivery("cast", "", name, input, caller, message.from, from, 0);
        if ("here" in message && message.here !== null) this.#events.deliverHere(message.here, delivery);
        else this.#events.deliver(to, delivery);
        break;
      }
      case "tell":
        this.#tell(from, message);
        break;
      case "told":
        this.#events.told(message.from, message.number);
        break;
      case "subscribe": {
        const delivery = new Delivery("subscribe", "", message.channel, null, message.caller, null, from, message.id);
        delivery.resume = message.from;
        delivery.peer = this.#events.credits.of(from);
        this.#events.deliver(message.to, delivery);
        break;
      }
      case "unsubscribe": {
        const actor = this.#events.inMemory(message.to);
        if (actor === undefined) break;
        // Takes its turn behind the subscription it ends.
        const delivery = new Delivery("unsubscribe", "", message.channel, null, null, null, from, message.id);
        this.#events.admit(actor, delivery);
        break;
      }
      case "acknowledge":
        this.#acknowledge(message);
        break;
      case "reply":
      case "error":
      case "subscribed":
      case "event":
      case "slot":
      case "mirror":
      case "credit":
        // Answers to clients: a shard endpoint asks nobody.
        break;
    }
  }

  #ask(from: EndpointId, message: Message<"ask">): void {
    const { to, commandId, name, input, caller, id } = message;
    const delivery = isAgain(name)
      ? drivenAgain(message, from)
      : new Delivery("ask", commandId, name, input, caller, null, from, id);
    delivery.bodyHash = message.bodyHash;
    delivery.notAfter = message.notAfter;
    delivery.mayWait = message.mayWait === true;
    const { credits } = this.#events;
    delivery.peer = credits.of(from);
    if (credits.take(delivery.peer)) this.#events.deliver(to, delivery);
    else {
      const { retryAfterMs } = this.#events;
      this.#events.refuse(to, delivery, { code: "overloaded", temporary: true, retryAfterMs });
    }
  }

  #tell(from: EndpointId, message: Message<"tell">): void {
    const id = tellId(message.from, message.number);
    const input = decode(message.input);
    const delivery = new Delivery("tell", id, message.name, input, null, message.from, from, message.number);
    this.#events.deliver(message.to, delivery);
  }

  /** Told to the kind; what a channel's only reader has acknowledged is also forgotten with the actor's next commit. */
  #acknowledge({ to, channel: name, offset }: Message<"acknowledge">): void {
    const actor = this.#events.inMemory(to);
    const channel = actor?.channels?.get(name);
    if (actor === undefined || channel === undefined || actor.phase !== "active") return;
    if (offset > channel.top) return;
    channel.definition.acknowledged?.(readContext(actor, this.#events.now()), offset);
    if (channel.definition.trimOnAcknowledge !== true || offset <= channel.trimmedTo) return;
    const others = (actor.trims ?? []).filter((trim) => trim.channel !== name);
    actor.trims = [...others, { channel: name, offset }];
  }
}

/** For a message that was put aside: as it came the first time, but that whoever drives it again gets the answer. */
function drivenAgain({ commandId, name, input, caller, id }: Message<"ask">, asker: EndpointId): Delivery {
  let delivery: Delivery;
  if (name === AGAIN) {
    const first = input as AgainContract[typeof AGAIN]["input"];
    delivery = new Delivery("ask", commandId, first.name, first.input, first.caller, first.from, asker, id);
  } else delivery = new Delivery("ask", commandId, name, input, caller, null, asker, id);
  delivery.isAgain = true;
  return delivery;
}
