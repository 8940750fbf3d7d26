/** Asking for a role. The account's record with the application in it; deciding is `administration.ts`'s. */
import type { Application, OperationCaller } from "../../protocol/mod.js";
import { type AccountContext, newId, type Refused, refused } from "./context.js";
import type { AccountRecord, RoleRecord } from "./ports.js";

/**
 * What is asked for, with the place of a restaurant that is to be opened: an address that nobody finds is better said now
 * than when the application is decided.
 */
export async function located({ restaurants }: AccountContext, asks: Application): Promise<Application | Refused> {
  if (asks.role !== "restaurant" || asks.opens === undefined) return asks;
  if (asks.restaurantId !== undefined) {
    return refused("invalid", { path: "/restaurantId", problem: "the id of a restaurant that opens is made" });
  }
  const answer = await restaurants.locate(asks.opens);
  return answer.ok ? { ...asks, opens: answer.value } : answer;
}

/** Makes the restaurant of an application that is about to be approved. Again, it finds it made. */
export async function opened(
  { restaurants }: AccountContext,
  caller: OperationCaller,
  { principalId, applicationId }: RoleRecord,
  asks: Application | null,
): Promise<Refused | null> {
  if (asks?.role !== "restaurant" || asks.opens === undefined) return null;
  const place = await restaurants.locate(asks.opens);
  if (!place.ok) return place;
  const { id, role } = caller;
  const key = `applications.approve\n${applicationId}`;
  const founded = await restaurants.found(principalId, place.value, { key, caller: { id, role } });
  // Its id was made for this application: what is there already was made for it, too.
  return founded.ok || founded.code === "already_exists" ? null : founded;
}

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
