/** What both storms against a node of ours begin with: tokens, and a limit of connections that lets a line stand for a person. */
import { createHttp, type Principal } from "../../sdk/mod.js";
import type { StormPlan } from "../peers/ports.js";

/** A node's own HTTP address, and the secret that lets whoever operates it issue tokens. */
export interface NodeAccess {
  readonly url: string;
  readonly operatorSecret: string;
}

const TOKENS_A_CALL = 1_000;
const AT_ONCE = 8;
const TTL_SECONDS = 7_200;
/** A node's own default; a plan of fewer lines a channel leaves it alone. */
const CONNECTIONS_A_PERSON = 20;

/** For the node's command line: as many connections of one person as a channel has lines, and a few more. */
export function argumentsFor({ sockets, channels }: StormPlan): readonly string[] {
  const most = Math.max(CONNECTIONS_A_PERSON, Math.ceil(sockets / channels) + 4);
  return ["--gateway.maxConnectionsPerUser", String(most)];
}

export async function tokensOf(node: NodeAccess, principals: readonly Principal[]): Promise<readonly string[]> {
  const anyone = createHttp({ url: node.url });
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
}

/** Does `work` for 0 … count − 1, a few at once. */
export async function forEach(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
