/** What a node of ours needs before the tablets' storm: restaurants with a menu, and tokens for tablets and customers. */
import { createHttp } from "../../sdk/mod.js";
import { issueTokens } from "../load/node-process.js";
import type { StormPlan } from "../peers/ports.js";
import { forEach, type NodeAccess } from "./people.js";

export interface TabletTokens {
  /** By channel. */
  readonly tablets: readonly string[];
  readonly customers: readonly string[];
}

export const CENTER = { lat: 48.2, lng: 16.37 };
const CUSTOMERS = 500;

export const restaurantOf = (channel: number): string => `storm-${channel}`;

export async function stageTablets(node: NodeAccess, { channels }: StormPlan): Promise<TabletTokens> {
  const ids = Array.from({ length: channels }, (_, channel) => restaurantOf(channel));
  const tablets = await issueTokens(
    node,
    ids.map((id) => ({ id, role: "restaurant" })),
  );
  const [admin] = await issueTokens(node, [{ id: "storm-admin", role: "admin" }]);
  const http = createHttp({ url: node.url, token: admin! });
  await forEach(ids.length, async (channel) => {
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
  });
  const customers = await issueTokens(
    node,
    Array.from({ length: CUSTOMERS }, (_, i) => ({ id: `storm-customer-${i}`, role: "customer" as const })),
  );
  return { tablets, customers };
}
