/**
 * The one way a client's command reaches an actor, whichever door it came through. Owns: role, schema, key, `notAfter`,
 * the command's id and body hash, and that what staff did stands in the audit before they hear that it is done. Does not
 * own: limits (the doors'), what the command does (the actor's).
 */
import { hash } from "node:crypto";
import { type ActorError, type ActorRef, type AskResult, actorRef, type Contract } from "../actors/runtime/mod.js";
import { type Clock, sleep } from "../lib/clock.js";
import type { Json, JsonObject } from "../lib/json.js";
import {
  COMMANDS,
  type CommandEntry,
  ERRORS,
  type ErrorCode,
  isCommandType,
  type PlaceOrder,
  validateCommandBody,
} from "../protocol/mod.js";
import type { AuditLog } from "../services/audit/mod.js";
import type { OrderService } from "../services/orders/mod.js";
import { mayCommand } from "./auth/access.js";
import type { Principal, Tokens } from "./auth/tokens.js";
import type { GatewayClient } from "./ports.js";

export interface CommandRequest {
  readonly type: string;
  readonly idempotencyKey: string;
  readonly body: unknown;
  /** Milliseconds since the epoch; 0 for none. */
  readonly notAfter: number;
}

/** Everything a refusal carries, from the catalogue. */
export function refuse(code: ErrorCode, detail?: JsonObject, retryAfterMs?: number): { ok: false; error: ActorError } {
  return {
    ok: false,
    error: {
      code,
      temporary: ERRORS[code].temporary,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(detail === undefined ? {} : { detail }),
    },
  };
}

/** The same value in any order of properties gives the same text. Only for values that passed a schema. */
export function canonicalText(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalText(each)}`).join(",")}}`;
}

const digest = (text: string): string => hash("sha256", text, "base64url");

/** The command's id: the same principal and key always give the same. */
export function commandIdOf(principal: { readonly id: string; readonly role: string }, idempotencyKey: string): string {
  return digest(`${principal.role}\n${principal.id}\n${idempotencyKey}`).slice(0, 27);
}

export function bodyHashOf(type: string, body: unknown): string {
  return digest(`${type}\n${canonicalText(body)}`).slice(0, 22);
}

/** Actors by kind; the commands' inputs are checked against the protocol's table, not by the type. */
type AnyContract = Contract & Record<string, { input: unknown; reply: Json }>;

/** Talking is an agent's work and stands in the room; everything else that staff do to others' things is recorded. */
const isAudited = (principal: Principal, entry: CommandEntry): boolean =>
  (principal.role === "support" || principal.role === "admin") && entry.actor !== "chat-room";

const AUDIT_AGAIN_MS = 2_000;
/** A consent that was given a moment ago reaches every thread of every node within this, also when its notice is lost. */
const CONSENT_ARRIVES_MS = 2_500;
const ASK_CONSENT_MS = 100;

export interface CommandDesk {
  run(principal: Principal, request: CommandRequest): Promise<AskResult<Json>>;
}

export function createCommandDesk(deps: {
  readonly client: GatewayClient;
  readonly orders: OrderService;
  readonly clock: Clock;
  readonly tokens: Pick<Tokens, "mayBeLocated">;
  /** Null: nobody keeps an audit. */
  readonly audit: Pick<AuditLog, "append"> | null;
  readonly timeoutMs: number;
  readonly maxNotAfterMs: number;
}): CommandDesk {
  const { client, clock, tokens, audit, timeoutMs, maxNotAfterMs } = deps;
  const refs = new Map<string, ActorRef<AnyContract>>(
    Object.values(COMMANDS).map(({ actor }) => [actor, actorRef<AnyContract>(actor)]),
  );

  /** The actor's key, or null when the principal names another's. */
  function keyOf(entry: CommandEntry, principal: Principal, body: Readonly<Record<string, unknown>>): string | null {
    switch (entry.key) {
      case "caller":
        return principal.id;
      case "orderId":
        return body.orderId as string;
      case "roomId":
        return body.roomId as string;
      case "driverId":
        return principal.role !== "driver" || body.driverId === principal.id ? (body.driverId as string) : null;
      case "restaurantId":
        return principal.role !== "restaurant" || body.restaurantId === principal.id
          ? (body.restaurantId as string)
          : null;
      case "derived":
        return null;
    }
  }

  /** Whoever says where they are has consented to it; an app gives the consent and begins the shift in one breath. */
  async function consents(principal: Principal): Promise<boolean> {
    const givesUpAt = clock.now() + CONSENT_ARRIVES_MS;
    while (!tokens.mayBeLocated(principal)) {
      if (clock.now() >= givesUpAt) return false;
      await sleep(clock, ASK_CONSENT_MS);
    }
    return true;
  }

  return {
    async run(principal, request) {
      const { type, idempotencyKey, body, notAfter } = request;
      if (!isCommandType(type)) return refuse("unknown_command", { type: type.slice(0, 64) });
      if (!mayCommand(type, principal.role)) return refuse("forbidden");
      const problem = validateCommandBody(type, body);
      if (problem !== null) return refuse("invalid", { ...problem });
      if (notAfter !== 0) {
        const now = clock.now();
        if (notAfter > now + maxNotAfterMs) {
          return refuse("invalid", { path: "/notAfter", problem: `is more than ${maxNotAfterMs} ms ahead` });
        }
        if (notAfter <= now) return refuse("expired");
      }
      if (type === "driver.online" && !tokens.mayBeLocated(principal) && !(await consents(principal))) {
        return refuse("consent_missing");
      }
      const caller = { id: principal.id, role: principal.role };
      const options = {
        commandId: commandIdOf(principal, idempotencyKey),
        bodyHash: bodyHashOf(type, body),
        caller,
        timeoutMs,
        ...(notAfter === 0 ? {} : { notAfter }),
      };
      const entry: CommandEntry = COMMANDS[type];
      if (entry.key === "derived")
        return deps.orders.place(idempotencyKey, body as PlaceOrder, options) as Promise<AskResult<Json>>;
      const key = keyOf(entry, principal, body as Readonly<Record<string, unknown>>);
      if (key === null) return refuse("not_found");
      const result = await client.ask(refs.get(entry.actor)!, key, entry.name, body, options);
      if (!result.ok || audit === null || !isAudited(principal, entry)) return result;
      const { reason } = body as { readonly reason?: unknown };
      try {
        await audit.append([
          {
            at: clock.now(),
            role: principal.role,
            principalId: principal.id,
            ...(principal.accountId === undefined ? {} : { accountId: principal.accountId }),
            action: type,
            subject: `${entry.actor}/${key}`,
            reason: typeof reason === "string" ? reason : "",
            // A key is one command of one actor: what is done to another under the same key is another deed.
            once: digest(`${options.commandId}\n${entry.actor}/${key}`).slice(0, 27),
          },
        ]);
      } catch {
        // Done, but not recorded: whoever asks again under the same key gets the same answer, and the entry is written.
        return refuse("unavailable", undefined, AUDIT_AGAIN_MS);
      }
      return result;
    },
  };
}
