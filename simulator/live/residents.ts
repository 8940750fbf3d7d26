/**
 * People of the demonstration who sign in like anybody else: one for each app. They are made once and found again, with a
 * password that follows from the node's operator secret, so that nobody outside this machine knows it.
 */
import { createHmac } from "node:crypto";
import { createHttp } from "../../sdk/node.js";
import type { Role } from "../../src/protocol/mod.js";

export interface Resident {
  readonly app: "customer" | "driver" | "restaurant" | "ops";
  readonly email: string;
  readonly role: Role;
}

export interface Residents {
  readonly password: string;
  readonly people: readonly Resident[];
}

interface Wanted extends Resident {
  readonly name: string;
  readonly phone: string;
}

const PEOPLE: readonly Wanted[] = [
  { app: "customer", email: "customer@demo.example", role: "customer", name: "Ana Rossi", phone: "+390105550101" },
  { app: "driver", email: "driver@demo.example", role: "driver", name: "Dario Conti", phone: "+390105550102" },
  {
    app: "restaurant",
    email: "restaurant@demo.example",
    role: "restaurant",
    name: "Rita Greco",
    phone: "+390105550103",
  },
  { app: "ops", email: "admin@demo.example", role: "admin", name: "Ada Marino", phone: "+390105550104" },
];
const ADMIN_SECONDS = 600;
const REASON = "lives in the demonstration";

/** Whoever has a role already keeps it: settling twice changes nothing. */
export async function settleResidents(options: {
  readonly url: string;
  readonly operatorSecret: string;
  /** Where the one who works in a restaurant works. */
  readonly restaurantId: string;
}): Promise<Residents> {
  const { url, operatorSecret, restaurantId } = options;
  const anyone = createHttp({ url });
  const principals = [{ id: "demo-admin", role: "admin" as const }];
  const [token] = await anyone.issueTokens({ operatorSecret, principals, ttlSeconds: ADMIN_SECONDS });
  const admin = createHttp({ url, token: token ?? "" });
  const password = `demo-${createHmac("sha256", operatorSecret).update("residents").digest("hex").slice(0, 12)}`;
  for (const { role, email, name, phone } of PEOPLE) {
    const session = await anyone.send<{ readonly accountId: string; readonly accessToken: string }>(
      "POST",
      "/v1/accounts",
      { email, password, name, phone },
    );
    if (role === "customer") continue;
    if (role === "driver") {
      await createHttp({ url, token: session.accessToken }).send("PUT", "/v1/me/consents/location", { given: true });
    }
    await admin.send("PUT", `/v1/accounts/${session.accountId}/roles/${role}`, {
      ...(role === "restaurant" ? { restaurantId } : {}),
      reason: REASON,
    });
  }
  return { password, people: PEOPLE.map(({ app, email, role }) => ({ app, email, role })) };
}
