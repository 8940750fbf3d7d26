/** One way's provider is silent. The others, and what is still to be planned, do not wait for it. */
import t from "tap";
import { type Clock, sleep, systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { encode } from "../../lib/msgpack.js";
import { seededRandom } from "../../lib/random.js";
import { createMemoryNotificationStore } from "../../store/memory/mod.js";
import { createNotifier } from "./notifier.js";
import type { NotificationProvider } from "./ports.js";
import { sandboxProvider } from "./sandbox.js";

const NOW = 1_700_000_000_000;

t.test("R-COM-3, R-RST-4: while text messages hang, pushes that come later are planned and told", async (t) => {
  const store = createMemoryNotificationStore();
  const sandbox = sandboxProvider();
  const answers: (() => void)[] = [];
  const silent: NotificationProvider = { send: () => new Promise((resolve) => answers.push(resolve)) };
  let turn = () => {};
  const clock: Clock = {
    now: () => NOW,
    monotonic: () => NOW,
    after: () => () => {},
    every(periodMs, task) {
      if (periodMs === 500) turn = task;
      return () => {};
    },
  };
  const notifier = createNotifier({
    store,
    providers: { push: sandbox, sms: silent, email: sandbox, call: sandbox },
    addresses: { addressesOf: async () => [{ phone: "+491705551234" }] },
    orders: { of: async () => new Map() },
    clock,
    random: seededRandom(1),
    log: silentLog,
    settings: { atOnce: 3, everyMs: 500 },
  });
  await store.saveDevice({ role: "restaurant", principalId: "r" }, { deviceId: "d", token: "token", since: 1 }, 9);
  let offset = 0;
  const alert = (step: string): void => {
    const body = encode({ restaurantName: "R", orderId: `o${++offset}`, step, devices: ["d"] });
    store.leave({ kind: "restaurant", key: "r", offset, type: "restaurant.alert", at: NOW, body });
  };
  /** Turns of the clock until it is so, or has had its chances. */
  const until = async (done: () => boolean): Promise<void> => {
    for (let turns = 0; turns < 50 && !done(); turns++) {
      turn();
      await sleep(systemClock(), 1);
    }
  };
  for (let n = 0; n < 5; n++) alert("sms");
  await until(() => answers.length === 3);
  for (let n = 0; n < 9; n++) alert("push");
  await until(() => sandbox.told.length === 9);
  t.equal(sandbox.told.length, 9, "nobody else waits for it");
  t.equal(answers.length, 3, "no more of them hang at once than they have lanes");
  for (let told = 0; told < 5; told++) {
    await until(() => answers.length > 0);
    answers.shift()?.();
  }
  await notifier.stop();
  const states = await store.list({}, Number.MAX_SAFE_INTEGER, 99);
  t.equal(states.filter(({ state }) => state === "sent").length, 14, "once it answers, the rest is told");
});
