/** The script of a further gateway thread: serves the same port as the main thread's gateway. */
import { joinMesh } from "../actors/runtime/mod.js";
import { systemClock } from "../lib/clock.js";
import { systemRandom } from "../lib/random.js";
import { createLog } from "../telemetry/mod.js";
import { openGateway } from "./gateway-endpoint.js";
import { openNodeLink } from "./link.js";
import type { ThreadPlan } from "./plan.js";

const clock = systemClock();
const mesh = joinMesh({ clock });
const plan = mesh.data as ThreadPlan;
const log = createLog({
  level: plan.config.node.logLevel,
  node: plan.config.node.id,
  thread: mesh.self,
  clock,
  to: "stderr",
});
const random = systemRandom();
const {
  link,
  isConnected,
  close: closeLink,
} = openNodeLink({ local: mesh.link, config: plan.config, clock, random, log });
const gateway = openGateway({
  plan,
  endpoint: mesh.self,
  link,
  shardMap: mesh.shardMap,
  clock,
  random,
  log,
  wholeProcess: false,
  ready: () => mesh.ownership.mayEmit() || isConnected(),
});
mesh.onDrain(() => gateway.drain());
mesh.onStop(async () => {
  await gateway.drain();
  await gateway.close();
  await closeLink();
});
mesh.onOpen(() => gateway.listen(plan.port, true));
mesh.ready();
