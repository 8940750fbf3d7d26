import t from "tap";
import { CityPicture } from "./city.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { createClient, watchCity, type ZoneLive } from "./node.js";

type Driver = ZoneLive["drivers"][number];
type Order = ZoneLive["orders"][number];

function live(zone: string, drivers: readonly Driver[], orders: readonly Order[] = []): ZoneLive {
  return { zone, at: 0, drivers, orders, counts: { waiting: 0, available: 0 } };
}
const driver = (id: string, at: number, lat = 50): Driver => ({ id, lat, lng: 4, state: "available", at });
const order = (id: string, status: Order["status"], driverId?: string): Order => ({
  id,
  status,
  from: [50, 4],
  to: [51, 4],
  ...(driverId === undefined ? {} : { driverId }),
});

t.test("R-DSP-1: a driver told by two zones is one driver, at the newest position, until both let go", async (t) => {
  const picture = new CityPicture();
  picture.apply(live("a", [driver("d", 10, 1)]));
  picture.apply(live("b", [driver("d", 20, 2)]));
  picture.apply(live("a", [driver("d", 15, 1.5)]));
  t.same([...picture.drivers()], [driver("d", 20, 2)], "an older word does not move it back");
  t.same(picture.apply(live("b", [])), []);
  t.equal(picture.size.drivers, 1);
  t.match(picture.apply(live("a", [])), [{ kind: "driver_left", driver: { id: "d" } }]);
  t.equal(picture.size.drivers, 0);
});

t.test("R-ADM-1: what a zone tells first is a start; afterwards every move is news", async (t) => {
  const picture = new CityPicture();
  t.same(picture.apply(live("a", [], [order("1", "preparing")])), []);
  const moves: unknown[] = [];
  const apply = (...orders: readonly Order[]): void => {
    for (const news of picture.apply(live("a", [], orders))) {
      if (news.kind === "order_moved") moves.push([news.order.id, news.before, news.order.status]);
      else if (news.kind === "driver_assigned") moves.push([news.order.id, "driver", news.driverId]);
      else if (news.kind === "order_left") moves.push([news.order.id, "left", news.order.status]);
    }
  };
  apply(order("1", "ready", "d"), order("2", "placed"));
  apply(order("1", "ready", "d"), order("2", "placed"));
  apply(order("1", "picked_up", "d"), order("2", "cancelled"));
  apply(order("1", "delivered", "d"), order("2", "placed"));
  t.equal(picture.order("2")?.status, "cancelled", "a final status stays");
  apply();
  t.same(moves, [
    ["1", "driver", "d"],
    ["1", "preparing", "ready"],
    ["2", null, "placed"],
    ["1", "ready", "picked_up"],
    ["2", "placed", "cancelled"],
    ["1", "picked_up", "delivered"],
    ["1", "left", "delivered"],
    ["2", "left", "cancelled"],
  ]);
});

t.test("R-ADM-1: the picture goes on over a broken line", async (t) => {
  const node = new LoopbackNode();
  const url = await node.listen();
  node.put("zone:a", "live", [1, 1], live("a", [driver("d1", 1)]) as never);
  node.put("zone:b", "live", [1, 1], live("b", [driver("d2", 1)]) as never);
  const client = createClient({ url, token: "ops", backoffBaseMs: 2, backoffMaxMs: 4 });
  t.teardown(async () => {
    client.close();
    await node.close();
  });
  let waiting: { readonly until: () => boolean; readonly resolve: () => void } | null = null;
  const watch = watchCity(client, ["a", "b"], {
    changed: () => {
      if (waiting?.until()) waiting.resolve();
    },
  });
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (condition()) resolve();
      else waiting = { until: condition, resolve };
    });
  client.connect();
  await until(() => watch.picture.size.drivers === 2);
  node.dropAll();
  node.put("zone:a", "live", [1, 2], live("a", [driver("d1", 2), driver("d3", 2)]) as never);
  await until(() => watch.picture.size.drivers === 3);
  t.same([...watch.picture.drivers()].map(({ id }) => id).sort(), ["d1", "d2", "d3"]);
  watch.stop();
});
