/** The script of the thread that searches. Reads the catalogue from the database and answers every gateway thread. */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../lib/clock.js";
import { createSearchEngine, parseSynonyms, type SynonymTable, serveSearch } from "../services/search/mod.js";
import { createPostgresRatings, createPostgresSearchStore } from "../store/postgres/mod.js";
import { createLog, createMetrics } from "../telemetry/mod.js";
import type { ThreadPlan } from "./plan.js";
import { openPipe } from "./search.js";

const plan = workerData as ThreadPlan;
const { config } = plan;
const { node } = config;
const search = config.search;
const clock = systemClock();
const thread = `${node.id}/search`;
const log = createLog({ level: node.logLevel, node: node.id, thread, clock, to: "stderr" });
const metrics = createMetrics(thread);
const store = createPostgresSearchStore({ connectionString: plan.connectionString, clock, log });
const ratings = createPostgresRatings({ connectionString: plan.connectionString, clock, log });

/** The list that comes with the program, or the one that is named. A list that cannot be read is worth a warning, not a node. */
function readSynonyms(): SynonymTable {
  const builtIn = new URL("../../../config/search-synonyms.json", import.meta.url);
  for (const file of search.synonymsFile === null ? [builtIn] : [search.synonymsFile, builtIn]) {
    try {
      return parseSynonyms(JSON.parse(readFileSync(file, "utf8")));
    } catch (error) {
      log.warn({ part: "search", error, file: String(file) }, "The list of synonyms cannot be used");
    }
  }
  return { equal: [], also: {} };
}

const engine = createSearchEngine({
  source: store,
  terms: store,
  ratings,
  clock,
  log,
  metrics,
  settings: {
    feed: { changesMs: search.changesMs, reconcileMs: search.reconcileMs },
    synonyms: readSynonyms(),
    maxListBytes: search.listMegabytes * 1024 * 1024,
  },
});
const pipes = plan.gateways.map((gateway) => openPipe(plan, gateway));
for (const pipe of pipes) serveSearch(pipe, engine, () => metrics.snapshot());

// Every module is loaded by now: from here on this thread may be ended without being asked.
parentPort?.postMessage("loaded");
parentPort?.on("message", () => {
  void engine.stop().then(async () => {
    for (const pipe of pipes) pipe.close();
    await Promise.all([store.close(), ratings.close()]);
    parentPort?.close();
  });
});

await engine.start();
parentPort?.postMessage("ready");
