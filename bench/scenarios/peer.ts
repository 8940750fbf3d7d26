/** Peers as sides: those that can run here, each with a database and a Redis of its own. */

import type { Look, RunningSide, Side, Stage } from "../harness/ports.js";
import { type Program, startProgram } from "../harness/program.js";
import type { PeerProgram, ProgramOptions } from "../peers/ports.js";

export async function startPeer(stage: Stage, scenario: string, peer: PeerProgram, plan: unknown): Promise<Program> {
  const options: ProgramOptions = {
    scenario,
    databaseUrl: await stage.database(peer.name),
    redisUrl: await stage.redis(),
    plan,
  };
  return startProgram(peer.program, options, peer.nodeOptions);
}

export function peerSides<P extends PeerProgram>(
  peers: readonly P[],
  more: Pick<Side, "loads">,
  start: (peer: P) => Promise<RunningSide>,
): readonly Side[] {
  return peers
    .filter((peer) => (peer.missing?.() ?? null) === null)
    .map((peer) => ({ role: "peer", name: peer.name, what: peer.what, ...more, start: () => start(peer) }));
}

/** A figure of one side ÷ the same of another; null where one was not measured. */
export function ratioOf(look: Look, figure: string, side: string, other: string, load?: string): number | null {
  const [own, theirs] = [look(side, figure, load), look(other, figure, load)];
  return own === null || theirs === null || theirs === 0 ? null : own / theirs;
}

/** Null when one of them was not measured. */
export const worst = (of: (...values: number[]) => number, ratios: readonly (number | null)[]): number | null =>
  ratios.includes(null) ? null : of(...ratios.map(Number));
