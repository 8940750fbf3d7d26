/**
 * Somebody to be in the demonstration: one account for each page, and a kitchen of one's own. Made by the public routes,
 * as everybody's are; a second start finds them there.
 */
import type { Point } from "./lib/geo.js";

export interface DemoPerson {
  /** The page: `/customer`. */
  readonly page: string;
  readonly email: string;
  readonly what: string;
}

export const DEMO_PASSWORD = "swift-eats-demo";
const KITCHEN = "your-kitchen";
const REASON = "somebody to be in the demonstration";

const PEOPLE: readonly (DemoPerson & { readonly name: string; readonly role: string })[] = [
  {
    page: "/customer",
    email: "ada@example.org",
    name: "Ada",
    role: "customer",
    what: "orders dinner and watches it come; all kitchens cook by themselves but Rita's",
  },
  {
    page: "/driver",
    email: "dario@example.org",
    name: "Dario",
    role: "driver",
    what: "rides; choose the simulated ride",
  },
  {
    page: "/restaurant",
    email: "rita@example.org",
    name: "Rita",
    role: "restaurant",
    what: "cooks in “Your Own Kitchen”",
  },
  { page: "/ops", email: "olga@example.org", name: "Olga", role: "admin", what: "sees everything and may step in" },
];

const menuOf = ({ lat, lng }: Point) => ({
  name: "Your Own Kitchen",
  lat,
  lng,
  currency: "EUR",
  taxPerMille: 100,
  deliveryFeeMinor: 190,
  deliveryRadiusMeters: 15_000,
  description: "You cook here: sign in on the tablet, and nobody else will.",
  cuisines: ["italian"],
  items: [
    {
      itemId: "margherita",
      name: "Pizza Margherita",
      priceMinor: 950,
      category: "Pizza",
      prepMinutes: 10,
      description: "Tomato, mozzarella, basil.",
      diets: ["vegetarian"],
      allergens: ["gluten", "milk"],
      options: [
        {
          groupId: "size",
          name: "Size",
          min: 1,
          max: 1,
          choices: [
            { choiceId: "normal", name: "Normal", priceMinor: 0 },
            { choiceId: "large", name: "Large", priceMinor: 350 },
          ],
        },
        {
          groupId: "extra",
          name: "On top",
          max: 3,
          choices: [
            { choiceId: "olives", name: "Olives", priceMinor: 100 },
            { choiceId: "rocket", name: "Rocket", priceMinor: 120 },
            { choiceId: "burrata", name: "Burrata", priceMinor: 280 },
          ],
        },
      ],
    },
    { itemId: "pesto", name: "Trofie al pesto", priceMinor: 1150, category: "Pasta", prepMinutes: 12 },
    { itemId: "lasagne", name: "Lasagne", priceMinor: 1290, category: "Pasta", prepMinutes: 8, stock: 6 },
    { itemId: "tiramisu", name: "Tiramisu", priceMinor: 520, category: "Sweet", prepMinutes: 2, stock: 12 },
    { itemId: "lemonade", name: "Lemonade", priceMinor: 350, category: "Drinks", prepMinutes: 1 },
  ],
});

/** Resolves with who there is. Rejects with what the node refused. */
export async function settleDemoPeople(
  url: string,
  adminToken: string,
  kitchenAt: Point,
): Promise<readonly DemoPerson[]> {
  const send = async (method: string, path: string, body: unknown, token?: string): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        "content-type": "application/json",
        "idempotency-key": `demo-people-${method}-${path}-${JSON.stringify(body).length}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    const text = (await answer.json()) as { readonly error?: { readonly code: string } };
    if (answer.ok || text.error?.code === "email_taken") return text;
    throw new Error(`${method} ${path}: ${text.error?.code ?? "no answer"}`);
  };
  for (const { email, name, role } of PEOPLE) {
    const made = (await send("POST", "/v1/accounts", { email, password: DEMO_PASSWORD, name })) as {
      accountId?: string;
    };
    // Taken: an earlier start has made it, role and all.
    if (made.accountId === undefined || role === "customer") continue;
    const more = role === "restaurant" ? { restaurantId: KITCHEN } : {};
    await send("PUT", `/v1/accounts/${made.accountId}/roles/${role}`, { reason: REASON, ...more }, adminToken);
    if (role === "restaurant") await send("PUT", `/v1/restaurants/${KITCHEN}`, menuOf(kitchenAt), adminToken);
  }
  return PEOPLE;
}
