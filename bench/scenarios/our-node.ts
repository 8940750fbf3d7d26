/** Our node as a side: a process of its own with a database of its own, durable as in production. */
import type { Stage } from "../harness/ports.js";
import { watchNodes } from "../load/node-gauges.js";
import { startTarget, type Target } from "../load/target.js";

export interface OurNode {
  readonly target: Target;
  readonly pids: readonly number[];
  gauges(): ReturnType<ReturnType<typeof watchNodes>>;
  stop(): Promise<void>;
}

/** Limits count what one person sends; a load's few people stand for many. */
export const GENEROUS = [
  ...["--gateway.gpsPerMinute", "6000", "--gateway.gpsBurst", "1000"],
  ...["--domain.driver.gpsTokenMs", "500", "--domain.driver.gpsBurst", "100"],
];

export async function startOurs(
  stage: Stage,
  options: {
    readonly nodes?: number;
    readonly args?: readonly string[];
    readonly databaseUrl?: string;
    readonly dataDir?: string;
  } = {},
): Promise<OurNode> {
  const { nodes = 1, ...more } = options;
  const target = await startTarget({
    nodes,
    onProgress: stage.note,
    ...(stage.profileDirectory === null ? {} : { profileDirectory: stage.profileDirectory }),
    ...more,
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopped ??= target.stop());
  stage.atEnd(stop);
  return { target, pids: target.nodes.map(({ pid }) => pid), gauges: watchNodes(target.nodes), stop };
}
