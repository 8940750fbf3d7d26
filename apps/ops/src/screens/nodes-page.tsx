/** The machines: who answers, how full, how late. Read from the node's own word and its metrics. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../../../shared/clock.js";
import { formatCount } from "../../../shared/format.js";
import { ForwardIcon } from "../../../shared/kit/icons.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { nodeUrl } from "../../../shared/line/node.js";
import { useReading } from "../../../shared/reading.js";
import { capital } from "../../../shared/words.js";
import { zoneCount } from "../store/city.js";

const EVERY_MS = 5_000;

interface Health {
  readonly node: Readonly<Record<string, unknown>>;
  readonly ready: { readonly ready?: boolean; readonly database?: unknown };
  readonly metrics: ReadonlyMap<string, readonly Sample[]>;
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

async function readHealth(stop: AbortSignal): Promise<Health> {
  const get = (path: string): Promise<Response> => fetch(nodeUrl + path, { signal: stop });
  const [node, ready, metrics] = await Promise.all([get("/v1/node"), get("/readyz"), get("/metrics")]);
  return { node: await node.json(), ready: await ready.json(), metrics: samplesOf(await metrics.text()) };
}

/** The Prometheus text format: one sample a line. */
function samplesOf(text: string): ReadonlyMap<string, readonly Sample[]> {
  const all = new Map<string, Sample[]>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? ([-+.\deE]+)$/.exec(line);
    if (match === null) continue;
    const [, name, labels, value] = match;
    const samples = all.get(name!) ?? [];
    samples.push({ labels: labels ?? "", value: Number(value) });
    all.set(name!, samples);
  }
  return all;
}

const total = (samples: readonly Sample[] | undefined): number | null =>
  samples === undefined ? null : samples.reduce((sum, { value }) => sum + value, 0);
const most = (samples: readonly Sample[] | undefined): number | null =>
  samples === undefined || samples.length === 0 ? null : Math.max(...samples.map(({ value }) => value));
const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const percent = (value: number): string => `${Math.round(value * 100)} %`;
const megabytes = (value: number): string => `${Math.round(value / 2 ** 20)} MB`;

export function NodesPage() {
  const turn = useSignal(0);
  useEffect(
    () =>
      clock.every(EVERY_MS, () => {
        if (document.visibilityState === "visible") turn.value += 1;
      }),
    [turn],
  );
  const { reading, again } = useReading(readHealth, [turn.value]);
  if (reading.name === "failed") return <Failure error={reading.error} again={again} />;
  if (reading.name === "loading") return <Bones count={3} height={110} />;
  const { node, ready, metrics } = reading.value;
  const database =
    typeof ready.database === "string" ? ready.database : String(Object.values(ready.database ?? {})[0] ?? "");
  const delay = metrics.get("swift_runtime_event_loop_delay_ms")?.filter(({ labels }) => !labels.includes("0.5"));
  // A lone node is a member of nothing, and holds what it has without a lease.
  const members = most(metrics.get("swift_cluster_members_count")) || null;
  const ofCluster = (value: number | null): number | null => (members === null ? null : value);
  const figures: readonly (readonly [string, number | null, (value: number) => string])[] = [
    ["Open sockets", total(metrics.get("swift_gateway_sockets_count")), formatCount],
    ["Requests under way", total(metrics.get("swift_gateway_requests_count")), formatCount],
    ["Questions to actors", total(metrics.get("swift_gateway_asks_count")), formatCount],
    ["Orders held back", total(metrics.get("swift_gateway_held_back_count")), formatCount],
    ["Events waiting", total(metrics.get("swift_events_waiting_count")), formatCount],
    ["Oldest event", most(metrics.get("swift_events_oldest_age_ms")), milliseconds],
    ["Event loop delay", most(delay), milliseconds],
    ["Busiest thread", most(metrics.get("swift_runtime_event_loop_utilization_ratio")), percent],
    ["Search is behind by", most(metrics.get("swift_search_behind_ms")), milliseconds],
    ["Memory", most(metrics.get("swift_process_resident_bytes")), megabytes],
    ["Members", members, formatCount],
    ["Shards", ofCluster(total(metrics.get("swift_cluster_shards_count"))), formatCount],
    ["Lease left", ofCluster(most(metrics.get("swift_cluster_lease_left_ms"))), milliseconds],
  ];
  const putAside = most(metrics.get("swift_dead_letters_waiting_count")) ?? 0;
  return (
    <div class="stack wide narrow">
      <div class="between">
        <div>
          <h1>{String(node.node ?? "This node")}</h1>
          <p class="soft">
            Version {String(node.version ?? "")} · {zoneCount.value} zones watched
          </p>
        </div>
        <span class="row wrap">
          <span class={ready.ready === true ? "chip good" : "chip bad"}>
            {ready.ready === true ? "Ready" : "Not ready"}
          </span>
          {database !== "" && <span class="chip">Database: {capital(database)}</span>}
        </span>
      </div>
      <a class="panel between put-aside" href="#/letters">
        <span class="grow">Put aside</span>
        <span class={putAside === 0 ? "chip good" : "chip bad"}>
          {putAside === 0 ? "Nothing waits" : `${formatCount(putAside)} waiting`}
        </span>
        <ForwardIcon />
      </a>
      <dl class="figures">
        {figures
          .filter(([, value]) => value !== null)
          .map(([name, value, write]) => (
            <div key={name} class="panel">
              <dt class="small soft">{name}</dt>
              <dd class="figure number">{write(value!)}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}
