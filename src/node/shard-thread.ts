/** The script of a shard worker thread: plugs the engine, the actors, the store and the payment provider together. */

import { DECISION_EFFECT, decisionEffect, domainActors, RATINGS_EFFECT } from "../actors/domain/mod.js";
import { createShardHost, joinMesh, SHARD_COUNT } from "../actors/runtime/mod.js";
import { systemClock } from "../lib/clock.js";
import { systemRandom } from "../lib/random.js";
import { contactEffect } from "../services/contact/mod.js";
import { createRatingReader, driverRatingsEffect } from "../services/ratings/mod.js";
import { createPostgresActorStore, createPostgresRatings } from "../store/postgres/mod.js";
import { createRedisMirror } from "../store/redis/mod.js";
import { createLog, createMetrics, measureRuntime } from "../telemetry/mod.js";
import { createDecisionPool } from "./decision-pool.js";
import { contactProviderOf, domainSettings } from "./domain-settings.js";
import { measureEngine, timedStore } from "./engine-metrics.js";
import { joinInquiry } from "./inquiry.js";
import { serveShards } from "./keeper.js";
import { openNodeLink } from "./link.js";
import { fanOutMirror } from "./mirror.js";
import { openMoneyEffects } from "./money.js";
import type { ThreadPlan } from "./plan.js";

const clock = systemClock();
const random = systemRandom();
const mesh = joinMesh({ clock });
const plan = mesh.data as ThreadPlan;
const { config } = plan;
const log = createLog({ level: config.node.logLevel, node: config.node.id, thread: mesh.self, clock, to: "stderr" });

const metrics = createMetrics(mesh.self);
const truth = createPostgresActorStore({
  connectionString: plan.connectionString,
  lanes: config.engine.commitLanes,
  clock,
  log,
});
const store = timedStore(truth, metrics, clock);
const redis = config.redis.url === null ? null : createRedisMirror({ url: config.redis.url, clock, log });
const { link, close: closeLink } = openNodeLink({ local: mesh.link, config, clock, random, log });
const mirror = fanOutMirror(link, plan.gateways, redis);
const money = openMoneyEffects(plan, { clock, random, log });

const settings = domainSettings(config);
const ratings = createPostgresRatings({ connectionString: plan.connectionString, clock, log });
const decisions = settings.zone.dispatch === "horizon" ? createDecisionPool(1) : null;

const host = createShardHost({
  self: mesh.self,
  definitions: domainActors(settings),
  store,
  mirror,
  effects: {
    ...money.effects,
    contact: contactEffect(contactProviderOf(config)),
    [RATINGS_EFFECT]: driverRatingsEffect(createRatingReader(ratings)),
    ...(decisions === null
      ? {}
      : {
          [DECISION_EFFECT]: decisionEffect(decisions, settings.zone.decisionPatienceMs, (delayMs, run) =>
            clock.after(delayMs, run),
          ),
        }),
  },
  link,
  ownership: mesh.ownership,
  shardMap: mesh.shardMap,
  clock,
  random,
  log: log.child({ part: "engine" }),
  settings: {
    maxActors: config.engine.maxActors,
    mailboxLimit: config.engine.mailboxMessages,
    askWindow: Math.max(64, Math.floor(config.engine.asksInFlight / plan.gateways.length)),
    flushActors: config.engine.flushActors,
    flushDelayMs: config.engine.flushMs,
    lanes: config.engine.commitLanes,
  },
});

const stopMeasuring = measureRuntime({ metrics, clock, wholeProcess: false });
const count = measureEngine(metrics, () => host.stats());
const inquiry = joinInquiry({
  plan,
  self: mesh.self,
  clock,
  metrics: () => {
    count();
    return metrics.snapshot();
  },
});

serveShards(mesh, host);
mesh.onStop(async () => {
  stopMeasuring();
  inquiry.close();
  await host.stop();
  await decisions?.close();
  await ratings.close();
  await closeLink();
  await mirror.close();
  await money.close();
  await truth.close();
});

const owned = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
  (shard) => mesh.ownership.epochOf(shard) !== null,
);
await host.start(owned);
mesh.ready();
