/** What both storms against a node of ours begin with. */
import type { StormPlan } from "../peers/ports.js";

/** A node's own HTTP address, and the secret that lets whoever operates it issue tokens. */
export interface NodeAccess {
  readonly url: string;
  readonly operatorSecret: string;
}

const AT_ONCE = 8;
/** A node's own default; a plan of fewer lines a channel leaves it alone. */
const CONNECTIONS_A_PERSON = 20;

/** For the node's command line: as many connections of one person as a channel has lines, and a few more. */
export function argumentsFor({ sockets, channels }: StormPlan): readonly string[] {
  const most = Math.max(CONNECTIONS_A_PERSON, Math.ceil(sockets / channels) + 4);
  return ["--gateway.maxConnectionsPerUser", String(most)];
}

/** Does `work` for 0 … count − 1, a few at once. */
export async function forEach(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
