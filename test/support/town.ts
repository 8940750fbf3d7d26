/** A town of a few people on a real node, for tests of pages: each has an account and the role that the page is for. */
import { createHttp } from "../../sdk/node.js";
import type { Role } from "../../src/protocol/mod.js";

export interface Townsman {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly accountId: string;
  /** The id under which this person acts. */
  readonly id: string;
}

interface SessionReply {
  readonly accountId: string;
  readonly principalId: string;
}

const PASSWORD = "correct horse battery";
const SQUARE = { lat: 44.4021, lng: 8.9463 };

export const MENU = {
  name: "Trattoria Prova",
  ...SQUARE,
  currency: "EUR",
  taxPerMille: 100,
  deliveryFeeMinor: 190,
  deliveryRadiusMeters: 5_000,
  cuisines: ["italian"],
  items: [
    { itemId: "pesto", name: "Trofie al pesto", priceMinor: 1100, category: "pasta", prepMinutes: 10 },
    {
      itemId: "pizza",
      name: "Pizza Margherita",
      priceMinor: 900,
      category: "pizza",
      prepMinutes: 8,
      options: [
        {
          groupId: "size",
          name: "Size",
          min: 1,
          max: 1,
          choices: [
            { choiceId: "normal", name: "Normal", priceMinor: 0 },
            { choiceId: "large", name: "Large", priceMinor: 300 },
          ],
        },
      ],
    },
    { itemId: "water", name: "Still water", priceMinor: 200, category: "drinks", stock: 3 },
  ],
};

export interface Town {
  readonly customer: Townsman;
  readonly driver: Townsman;
  readonly kitchen: Townsman;
  readonly operator: Townsman;
  readonly square: { readonly lat: number; readonly lng: number };
  readonly door: { readonly lat: number; readonly lng: number };
}

/** Signs everybody up by the public routes; only the first admin comes from the operator's own door. */
export async function settle(url: string, operatorSecret: string): Promise<Town> {
  const anyone = createHttp({ url });
  const [token] = await anyone.issueTokens({
    operatorSecret,
    principals: [{ id: "first-admin", role: "admin" }],
    ttlSeconds: 600,
  });
  const admin = createHttp({ url, token: token! });
  const person = async (name: string, role: Role): Promise<Townsman> => {
    const email = `${name.toLowerCase().replaceAll(" ", ".")}@example.org`;
    const { accountId } = await anyone.send<SessionReply>("POST", "/v1/accounts", { email, password: PASSWORD, name });
    if (role !== "customer") {
      const body = { reason: "for the test", ...(role === "restaurant" ? { restaurantId: "trattoria-prova" } : {}) };
      await admin.send("PUT", `/v1/accounts/${accountId}/roles/${role}`, body);
    }
    const { principalId } = await anyone.send<SessionReply>("POST", "/v1/auth/sign-in", {
      email,
      password: PASSWORD,
      role,
    });
    return { email, password: PASSWORD, name, accountId, id: principalId };
  };
  const customer = await person("Carla Cliente", "customer");
  const driver = await person("Dario Autista", "driver");
  const kitchen = await person("Rita Cuoca", "restaurant");
  const operator = await person("Olga Capo", "admin");
  await admin.send("PUT", `/v1/restaurants/${kitchen.id}`, MENU);
  return { customer, driver, kitchen, operator, square: SQUARE, door: { lat: 44.4052, lng: 8.9496 } };
}
