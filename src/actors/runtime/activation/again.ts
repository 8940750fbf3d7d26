/**
 * What was put aside can be driven again: the commands by which that is asked for. Every kind has them, and no client can
 * name them: what gateways pass on stands in a closed table.
 *
 * An effect and a tell are given out anew by the actor that wanted them, in a commit of their own: under the key that
 * the world knows already, and in the line of what the actor tells. The command that was quarantined runs as it came.
 */
import type { Json } from "../../../lib/json.js";
import type { ActorContext, Caller, Rejection } from "../definition.js";
import type { ActorAddress } from "../ports.js";

export const AGAIN = "@again";

export type AgainContract = {
  /** To the actor whose handler threw: the message as it was. */
  "@again": {
    input: {
      readonly name: string;
      readonly input: unknown;
      readonly caller: Caller | null;
      readonly from: ActorAddress | null;
    };
    reply: unknown;
  };
  /** To the actor that asked the world. */
  "@effect": {
    input: { readonly name: string; readonly key: string; readonly input: Json; readonly onResult: string };
    reply: null;
  };
  /** To the sender. */
  "@tell": {
    input: { readonly to: ActorAddress; readonly name: string; readonly input: unknown };
    reply: null;
  };
};

export const isAgain = (name: string): boolean => name.startsWith("@");

type Context = ActorContext<unknown, unknown>;

/** An actor that was never written did not ask for it: nobody would know what to do with the answer. */
const isThere = (ctx: Context): boolean => ctx.version > 1;

export const AGAIN_COMMANDS = {
  "@effect": (ctx: Context, { name, key, input, onResult }: AgainContract["@effect"]["input"]): null | Rejection => {
    if (!isThere(ctx)) return ctx.reject("not_found");
    ctx.effect(name, key, input, onResult);
    return null;
  },
  "@tell": (ctx: Context, { to, name, input }: AgainContract["@tell"]["input"]): null | Rejection => {
    if (!isThere(ctx)) return ctx.reject("not_found");
    ctx.tell({ kind: to.kind }, to.key, name, input);
    return null;
  },
} as const;
