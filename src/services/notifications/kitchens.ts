/** How orders reach a kitchen, for operations: read from the restaurant's actor, and a pause ended by hand. */
import { createHash } from "node:crypto";
import { type ActorClient, actorRef } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import {
  type AuditEntry,
  type ErrorCode,
  type InboxView,
  isErrorCode,
  type KITCHEN_OPERATIONS,
  type OperationHandlers,
} from "../../protocol/mod.js";

const Restaurant = actorRef<{
  inboxView: { input: null; reply: InboxView };
  resume: { input: Record<string, never>; reply: { readonly menuVersion: number } };
}>("restaurant");

const TIMEOUT_MS = 5_000;
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

export function kitchenOperations(deps: {
  readonly client: Pick<ActorClient, "ask">;
  readonly audit: {
    append(entries: readonly (Omit<AuditEntry, "entryId"> & { readonly once: string })[]): Promise<void>;
  };
  readonly clock: Clock;
}): OperationHandlers<typeof KITCHEN_OPERATIONS> {
  const { client, audit, clock } = deps;
  const known = (code: string): ErrorCode => (isErrorCode(code) ? code : "unavailable");
  return {
    "kitchens.inbox": async ({ caller: { id, role }, params }) => {
      const options = { commandId: "", caller: { id, role }, timeoutMs: TIMEOUT_MS };
      const answer = await client.ask(Restaurant, params.restaurantId, "inboxView", null, options);
      if (!answer.ok) return { ok: false, code: known(answer.error.code) };
      const { tablets, orders, ...view } = answer.value;
      const inFull = orders.map((order) => ({ ...order, steps: [...order.steps] }));
      return { ok: true, value: { ...view, tablets: [...tablets], orders: inFull } };
    },
    "kitchens.resume": async ({ caller: { id, role, accountId }, params: { restaurantId }, body, key }) => {
      const commandId = createHash("sha256").update(`${role}\n${id}\n${key}`).digest("base64url").slice(0, 27);
      // Written down first: what is done by hand is never done without its reason being known.
      try {
        const entry = { action: "restaurant.resume", subject: `restaurant/${restaurantId}`, reason: body.reason };
        const by = { role, principalId: id, ...(accountId === undefined ? {} : { accountId }) };
        const once = `${entry.action}/${restaurantId}/${commandId}`;
        await audit.append([{ at: clock.now(), ...by, ...entry, once }]);
      } catch {
        return UNAVAILABLE;
      }
      // The actor lets its own people and admins; that support may is decided here.
      const options = { commandId, caller: { id, role: "admin" }, timeoutMs: TIMEOUT_MS };
      const answer = await client.ask(Restaurant, restaurantId, "resume", {}, options);
      return answer.ok ? answer : { ok: false, code: known(answer.error.code) };
    },
  };
}
