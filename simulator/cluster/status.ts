/** What a cluster is doing, in one line. */
import { type MemberStatus, readMembers } from "../../src/store/postgres/mod.js";
import type { LocalCluster } from "./types.js";

const ASK_WITHIN_MS = 3_000;

/** Never rejects: a cluster without its database is worth a line too. */
export async function statusOf(cluster: LocalCluster): Promise<string> {
  const members = await readMembers(cluster.databaseUrl, ASK_WITHIN_MS).catch(() => null);
  return statusLine(cluster, members);
}

export function statusLine(
  { nodes, database, nats, redis, payment }: Pick<LocalCluster, "nodes" | "database" | "nats" | "redis" | "payment">,
  members: readonly MemberStatus[] | null,
): string {
  const byNode = new Map((members ?? []).map((member) => [member.node, member]));
  const parts = nodes.map((node) => {
    const member = byNode.get(node.id);
    const lives = member !== undefined && member.leaseLeftMs > 0 && member.hasSession;
    const how = node.state === "running" ? (lives ? member.state : "not a member") : node.state;
    return `${node.id} ${how}, ${member?.shards ?? 0} shards`;
  });
  const down = Object.entries({ PostgreSQL: database, NATS: nats, Redis: redis, "payment sandbox": payment })
    .filter(([, server]) => server.pid === null)
    .map(([name]) => `${name} is down`);
  return [...(members === null ? ["the database does not answer"] : parts), ...down].join(" · ");
}
