/** What a node of ours needs before the storm: restaurants with a menu, and tokens for tablets and customers. */
import { createHttp, type Principal } from "../../sdk/mod.js";
import type { StormPlan } from "../peers/ports.js";

export interface StormTokens {
  /** By channel. */
  readonly tablets: readonly string[];
  readonly customers: readonly string[];
}

export const CENTER = { lat: 48.2, lng: 16.37 };
const CUSTOMERS = 500;
const TOKENS_A_CALL = 1_000;
const CONFIGURE_AT_ONCE = 8;
const TTL_SECONDS = 7_200;

export const restaurantOf = (channel: number): string => `storm-${channel}`;

/** For the node's command line: as many tablets a restaurant as the plan wants, and a few more. */
export function argumentsFor({ sockets, channels }: StormPlan): readonly string[] {
  return ["--gateway.maxConnectionsPerUser", String(Math.max(20, Math.ceil(sockets / channels) + 4))];
}

export async function stageOurs(
  node: { readonly url: string; readonly operatorSecret: string },
  plan: StormPlan,
): Promise<StormTokens> {
  const anyone = createHttp({ url: node.url });
  const tokensOf = async (principals: readonly Principal[]): Promise<readonly string[]> => {
    const tokens: string[] = [];
    for (let from = 0; from < principals.length; from += TOKENS_A_CALL) {
      tokens.push(
        ...(await anyone.issueTokens({
          operatorSecret: node.operatorSecret,
          principals: principals.slice(from, from + TOKENS_A_CALL),
          ttlSeconds: TTL_SECONDS,
        })),
      );
    }
    return tokens;
  };
  const ids = Array.from({ length: plan.channels }, (_, channel) => restaurantOf(channel));
  const tablets = await tokensOf(ids.map((id) => ({ id, role: "restaurant" })));
  const [admin] = await tokensOf([{ id: "storm-admin", role: "admin" }]);
  const http = createHttp({ url: node.url, token: admin! });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < ids.length) {
      const channel = next++;
      const angle = (channel / ids.length) * 2 * Math.PI;
      await http.send("PUT", `/v1/restaurants/${ids[channel]!}`, {
        name: `Kitchen ${channel}`,
        lat: CENTER.lat + 0.02 * Math.sin(angle),
        lng: CENTER.lng + 0.02 * Math.cos(angle),
        currency: "EUR",
        deliveryRadiusMeters: 50_000,
        kitchenCapacity: 100_000,
        items: [{ itemId: "dish", name: "Dish of the day", priceMinor: 1200 }],
      });
    }
  };
  await Promise.all(Array.from({ length: CONFIGURE_AT_ONCE }, lane));
  const customers = await tokensOf(
    Array.from({ length: CUSTOMERS }, (_, i) => ({ id: `storm-customer-${i}`, role: "customer" as const })),
  );
  return { tablets, customers };
}
