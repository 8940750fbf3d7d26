/** Asking for a role. The account's record with the application in it; deciding is `administration.ts`'s. */
import type { Application } from "../../protocol/mod.js";
import { type AccountContext, newId, type Refused, refused } from "./context.js";
import type { AccountRecord, RoleRecord } from "./ports.js";

/** The same record when the role is there already or asked for in the same words. */
export function withApplication(
  context: AccountContext,
  account: AccountRecord,
  asks: Application,
): AccountRecord | Refused {
  const open = account.roles.find(
    (each) =>
      each.role === asks.role &&
      each.state === "applied" &&
      (asks.role === "driver" || asks.restaurantId === undefined || each.principalId === asks.restaurantId),
  );
  // Asked again: the newer words count, under the same number.
  const applicationId = open?.applicationId ?? newId(context);
  const principalId = asks.role === "driver" ? account.id : (open?.principalId ?? asks.restaurantId ?? newId(context));
  const before = account.roles.find((each) => each.role === asks.role && each.principalId === principalId);
  if (before?.state === "active") return account;
  if (before === undefined && account.roles.length >= context.settings.maxRoles) {
    return refused("too_many", { most: context.settings.maxRoles });
  }
  const role: RoleRecord = {
    role: asks.role,
    principalId,
    state: "applied",
    applicationId,
    since: open?.since ?? context.clock.now(),
    reason: "",
    asks: context.people.sealAsks(account, applicationId, asks),
  };
  return withRole(account, role);
}

export function withRole(account: AccountRecord, role: RoleRecord): AccountRecord {
  const others = account.roles.filter((each) => each.role !== role.role || each.principalId !== role.principalId);
  return { ...account, roles: [...others, role] };
}
