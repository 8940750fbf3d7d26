/** What `menu`, `search` and `poll` share: requests over keep-alive connections at a rate, on ours, on the bare server, on peers. */

import type { Look, RunningSide, Sample, Side, Stage } from "../harness/ports.js";
import { startProgram } from "../harness/program.js";
import type { Address, RuntimeGauges } from "../harness/program-messages.js";
import type { ReadPlan } from "../load/reader-messages.js";
import { addressFor, type Document, type Readers, startReaders } from "../load/readers.js";
import type { ReadsPeer, ReadsPlan } from "../peers/ports.js";
import { peerSides, ratioOf, startPeer } from "./peer.js";

/** Every connection asks again as soon as it is answered; also at the end of a load's name. */
export const MOST = "as many as go";
/** Of what went at `MOST` last. */
export const FOUR_FIFTHS = "80 % of that";

/** As many as go are more than the few people of a load may ask: they stand for many. */
export const OFTEN = ["browse", "anonymous"].flatMap((tier) => [
  `--gateway.tierRates.${tier}.perMinute`,
  "60000",
  `--gateway.tierRates.${tier}.burst`,
  "10000",
]);

export interface ReadLoad {
  readonly perSecond: number;
  readonly connections: number;
  readonly processes: number;
  readonly requests: ReadPlan["requests"];
  readonly headers?: string;
}
export interface Place {
  readonly address: Address;
  readonly pid: number;
  readonly pathPrefix?: string;
}

/** `places`: by load, where its requests go. */
export async function runningReads(
  server: { gauges(): Promise<RuntimeGauges>; stop(): Promise<void> },
  places: Readonly<Record<string, Place>>,
  load: ReadLoad,
): Promise<RunningSide> {
  const readers: Readers = await startReaders(
    {
      requests: load.requests,
      connections: load.connections,
      localAddresses: Array.from({ length: load.connections }, (_, i) => addressFor(i)),
      ...(load.headers === undefined ? {} : { headers: load.headers }),
    },
    load.processes,
  );
  let most = load.perSecond;
  return {
    pids: (name) => [places[name]!.pid],
    gauges: () => server.gauges(),
    async prepare(name) {
      const { address, pathPrefix } = places[name]!;
      await readers.open(address, pathPrefix);
    },
    async load(name, seconds): Promise<Sample> {
      const isMost = name.endsWith(MOST);
      const perSecond = name === FOUR_FIFTHS ? 0.8 * most : load.perSecond;
      const { answered, refused, unanswered, latency, lag } = await readers.read(isMost ? null : perSecond, seconds);
      if (isMost) most = answered / seconds;
      return {
        operations: answered,
        seconds,
        latency,
        lag: isMost ? null : lag,
        problems: [
          ...(refused === 0 ? [] : [`${refused} answers were not 200`]),
          ...(unanswered === 0 ? [] : [`${unanswered} requests were not answered`]),
        ],
      };
    },
    async stop() {
      readers.stop();
      await server.stop();
    },
  };
}

/** `documents`: asked for when the side starts, once ours has answered them. */
export function bareReads(
  what: string,
  prefixes: Readonly<Record<string, string>>,
  documents: () => readonly Document[],
  redisUrl: () => Promise<string | null>,
  load: () => ReadLoad,
): Side {
  return {
    role: "limit",
    name: "bare",
    what,
    async start() {
      const options = { documents: documents(), redisUrl: await redisUrl() };
      const program = await startProgram(new URL("../limits/http.js", import.meta.url), options);
      const { address, pid } = program;
      const places = Object.fromEntries(
        Object.entries(prefixes).map(([name, pathPrefix]) => [name, { address, pid, pathPrefix }]),
      );
      return runningReads(program, places, load());
    },
  };
}

export function peerReads(
  stage: Stage,
  scenario: string,
  peers: readonly ReadsPeer[],
  loads: readonly string[],
  plan: () => Promise<ReadsPlan>,
  load: () => ReadLoad,
): readonly Side[] {
  return peerSides(peers, { loads }, async (peer) => {
    const asked = await plan();
    const program = await startPeer(stage, scenario, peer, asked);
    const { address, pid } = program;
    await checkAnswers(address, asked);
    const places = Object.fromEntries(loads.map((name) => [name, { address, pid }]));
    return runningReads(program, places, load());
  });
}

/** A few of a peer's answers against what they have to be, before anything is measured. */
async function checkAnswers({ host, port }: Address, { documents }: ReadsPlan): Promise<void> {
  const SAMPLES = 20;
  for (let i = 0; i < Math.min(SAMPLES, documents.length); i++) {
    const { path, body } = documents[Math.floor((i * documents.length) / SAMPLES) % documents.length]!;
    const answer = await fetch(`http://${host}:${port}${path}`);
    const text = await answer.text();
    if (!answer.ok || text !== body) throw new Error(`${path} answered ${answer.statusText} and other bytes.`);
  }
}

/** The bare server's CPU a request ÷ a side's: 1 costs as little as nothing but sending. */
export const bareToOurs = (look: Look, load?: string): number | null =>
  ratioOf(look, "cpuMicrosPerOperation", "bare", "ours", load);
