/** What a node of ours needs before the conversations' storm: customers, each with a conversation. */
import { createHttp, openSupportRoom } from "../../sdk/mod.js";
import { issueTokens } from "../load/node-process.js";
import type { StormPlan } from "../peers/ports.js";
import { forEach, type NodeAccess } from "./people.js";

export interface Conversation {
  readonly roomId: string;
  /** The customer's. */
  readonly token: string;
}

/** By channel. */
export async function stageConversations(node: NodeAccess, { channels }: StormPlan): Promise<readonly Conversation[]> {
  const customers = Array.from({ length: channels }, (_, i) => ({ id: `storm-${i}`, role: "customer" as const }));
  const tokens = await issueTokens(node, customers);
  const rooms: string[] = new Array(channels);
  await forEach(channels, async (channel) => {
    const http = createHttp({ url: node.url, token: tokens[channel]! });
    rooms[channel] = (await openSupportRoom({ http })).roomId;
  });
  return tokens.map((token, channel) => ({ roomId: rooms[channel]!, token }));
}
