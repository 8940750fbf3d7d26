/**
 * Whose a thing is, for every operation that names one in its path and that people of the outside may call: a stranger's
 * answer about another's thing is their answer about nobody's. An operation that is not in the table fails.
 */
import type { Test } from "tap";
import { OPERATIONS, type Role } from "../../src/protocol/mod.js";
import { exampleRequests } from "./example-requests.js";

interface Owned {
  /** By the parameter's name: a thing that is there, and not the stranger's. */
  readonly thing: Readonly<Record<string, string>>;
  /** What such a thing is called that is not there. */
  readonly nobodys?: string;
  readonly body?: unknown;
}

/** Of a market in which there is one of everything. */
export interface Things {
  readonly orderId: string;
  readonly methodId: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly restaurantId: string;
}

export interface Stranger {
  readonly role: Role;
  readonly authorization: string;
}

const NOBODYS = "that-is-nobodys";
const OUTSIDE: readonly Role[] = ["customer", "driver", "restaurant"];

/** `public`: about what everybody may see. `callers`: the name is the caller's own; another's under it is another thing. */
const whose = ({
  orderId,
  methodId,
  deviceId,
  roomId,
  restaurantId,
}: Things): Readonly<Record<string, "public" | "callers" | Owned>> => ({
  "ratings.rate": { thing: { orderId }, body: { rated: "restaurant", stars: 1 } },
  "ratings.ofOrder": { thing: { orderId } },
  "ratings.ofRestaurant": "public",
  "ratings.report": "public",
  "quotes.quote": "public",
  "payments.removeMethod": { thing: { methodId } },
  "devices.revoke": { thing: { deviceId } },
  "chat.openTrip": { thing: { orderId } },
  "chat.room": { thing: { roomId }, nobodys: "support:nobody" },
  "chat.history": { thing: { roomId }, nobodys: "support:nobody" },
  "contact.number": { thing: { orderId } },
  "kitchens.inbox": { thing: { restaurantId } },
  "notifications.add_device": "callers",
  "notifications.remove_device": "callers",
  "accounts.saveAddress": "callers",
  "accounts.removeAddress": "callers",
});

export type Ask = (
  authorization: string,
  method: string,
  path: string,
  body?: unknown,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
) => Promise<{ readonly status: number; readonly body: any }>;

/** `secrets`: what no stranger may ever read, by whatever operation. */
export async function provesOwnership(
  t: Test,
  ask: Ask,
  things: Things,
  strangers: readonly Stranger[],
  secrets: readonly string[],
): Promise<void> {
  const table = whose(things);
  const named = Object.entries(OPERATIONS).filter(
    ([, { params, access }]) =>
      params !== undefined && (access === "anyone" || access.some((role) => OUTSIDE.includes(role))),
  );
  t.strictSame(
    named.map(([name]) => name).sort(),
    Object.keys(table).sort(),
    "R-ACC-3: of every operation with a name in its path it is said whose it is",
  );
  let compared = 0;
  let read = 0;
  for (const request of exampleRequests()) {
    const { target, method } = request.route;
    if (target.kind !== "operation" || request.access === "operator") continue;
    const owned = table[target.name];
    for (const { role, authorization } of strangers) {
      if (request.access !== "anyone" && !request.access.includes(role)) continue;
      if (typeof owned === "object") {
        const body = owned.body ?? request.body;
        const nobody = Object.fromEntries(Object.keys(owned.thing).map((name) => [name, owned.nobodys ?? NOBODYS]));
        const anothers = await ask(authorization, method, request.url(owned.thing), body);
        const nobodys = await ask(authorization, method, request.url(nobody), body);
        t.strictSame(anothers, nobodys, `${request.name} as ${role}: another's reads as nobody's`);
        t.ok(anothers.status === 404 || method === "DELETE", `${request.name} as ${role}: ${anothers.status}`);
        compared++;
      } else if (method === "GET") {
        const text = JSON.stringify((await ask(authorization, method, request.url())).body);
        for (const secret of secrets)
          t.notOk(text.includes(secret), `${request.name} as ${role} tells nothing of ${secret}`);
        read++;
      }
    }
  }
  t.ok(compared >= 4 && read >= 20, `${compared} compared, ${read} read`);
}
