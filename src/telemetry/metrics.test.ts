import t from "tap";
import type { Clock } from "../lib/clock.js";
import { MAX_SERIES } from "./metrics.js";
import { createMetrics, measureRuntime, metricsText } from "./mod.js";

t.test("R-OPS-3: counters, gauges and histograms of all threads come out as one Prometheus text", async (t) => {
  const [main, worker] = [createMetrics("main"), createMetrics("shards-0")];
  for (const metrics of [main, worker]) {
    metrics.counter({ name: "swift_test_orders_total", help: "Orders.", labels: ["status"] }).add(2, { status: "ok" });
    metrics.histogram({ name: "swift_test_wait_ms", help: "Waiting.", buckets: [10, 100] }).observe(50);
  }
  main.gauge({ name: "swift_test_open", help: "Open sockets." }).set(7);
  let size = 3;
  main.gaugeOf({ name: "swift_test_queue", help: "Waiting messages." }, () => size);
  size = 4;
  // Snapshots travel between threads as messages.
  const snapshots = await Promise.all([main, worker].map(async (one) => structuredClone(await one.snapshot())));
  const text = await metricsText(snapshots);
  t.match(text, "# TYPE swift_test_orders_total counter");
  t.match(text, 'swift_test_orders_total{status="ok",thread="main"} 2');
  t.match(text, 'swift_test_orders_total{status="ok",thread="shards-0"} 2');
  t.match(text, /swift_test_wait_ms_bucket\{le="100",thread="main"\} 1/);
  t.match(text, /swift_test_wait_ms_bucket\{le="10",thread="main"\} 0/);
  t.match(text, 'swift_test_open{thread="main"} 7');
  t.match(text, 'swift_test_queue{thread="main"} 4', "read when somebody looks");
});

t.test("R-OPS-3: asking twice for one name gives the same instrument; another kind is a mistake", async (t) => {
  const metrics = createMetrics("main");
  const options = { name: "swift_test_total", help: "x" };
  metrics.counter(options).add();
  metrics.counter(options).add();
  t.match(await metricsText([await metrics.snapshot()]), 'swift_test_total{thread="main"} 2');
  t.throws(() => metrics.gauge(options), TypeError);
  metrics.gaugeOf({ name: "swift_test_size", help: "x" }, () => 1);
  metrics.gaugeOf({ name: "swift_test_size", help: "x" }, () => 2);
  t.match(await metricsText([await metrics.snapshot()]), 'swift_test_size{thread="main"} 2', "the newest reader wins");
});

t.test("R-PRO-5: a label that turns out to be an id does not take memory without end", async (t) => {
  const metrics = createMetrics("main");
  const counter = metrics.counter({ name: "swift_test_total", help: "x", labels: ["code"] });
  for (let index = 0; index < MAX_SERIES * 4; index++) counter.add(1, { code: `id-${index}` });
  const lines = (await metricsText([await metrics.snapshot()])).split("\n").filter((line) => line.includes("{"));
  t.equal(lines.length, MAX_SERIES + 1);
  t.ok(lines.includes(`swift_test_total{code="other",thread="main"} ${MAX_SERIES * 3}`), "nothing is lost in the sum");
});

t.test("R-OPS-3: a thread measures its event loop, its memory and its collector", async (t) => {
  const ticks: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after: () => () => {},
    every: (_, run) => {
      ticks.push(run);
      return () => {
        ticks.splice(ticks.indexOf(run), 1);
      };
    },
  };
  const metrics = createMetrics("main");
  const stop = measureRuntime({ metrics, clock, wholeProcess: true });
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  for (const tick of ticks) tick();
  const text = await metricsText([await metrics.snapshot()]);
  t.match(text, /swift_runtime_event_loop_delay_ms\{quantile="0\.99",thread="main"\} \d/);
  t.match(text, /swift_runtime_event_loop_utilization_ratio\{thread="main"\} \d/);
  t.match(text, /swift_runtime_heap_used_bytes\{thread="main"\} [1-9]/);
  t.match(text, /swift_process_resident_bytes\{thread="main"\} [1-9]/);
  t.match(text, /swift_process_cpu_ms_total\{mode="user",thread="main"\} \d/);
  stop();
  t.equal(ticks.length, 0, "stopping leaves no timer behind");
});
