import t from "tap";
import type { GatewayContext } from "../context.js";
import { DEFAULT_GATEWAY_SETTINGS } from "../settings.js";
import { newStats } from "../stats.js";
import type { Connection, OpenState } from "./connection.js";
import { Registry } from "./registry.js";

const MOST = 4;

/** A registry, and sockets as it sees them. */
function world() {
  const stats = newStats();
  const settings = { ...DEFAULT_GATEWAY_SETTINGS, maxConnectionsPerUser: MOST };
  const registry = new Registry({ stats, settings } as unknown as GatewayContext);
  const socket = (): Connection => {
    const connection = { state: { phase: "opening", since: 0 }, next: null, shut() {} };
    registry.add(connection as unknown as Connection);
    return connection as unknown as Connection;
  };
  const open = (connection: Connection, id: string, deviceId: string, role = "customer") =>
    registry.open(connection, {
      phase: "open",
      principal: { id, role, expiresAt: 0 },
      deviceId,
      subscriptions: null,
    } as unknown as OpenState);
  return { registry, stats, socket, open };
}

t.test("R-PRO-5: one device has one socket, whichever of a person's it is, and a person so many", async (t) => {
  for (const again of [0, 1, 2, 3]) {
    const { registry, stats, socket, open } = world();
    const sockets = Array.from({ length: MOST }, socket);
    for (const [i, each] of sockets.entries()) t.equal(open(each, "c1", `device-${i}`), undefined);
    t.equal(open(socket(), "c1", "one more"), null, "as many as there may be");
    t.equal(open(socket(), "c2", "device-0"), undefined, "another's");
    t.equal(open(socket(), "c1", "device-0", "driver"), undefined, "the same id in another role");
    const newer = socket();
    t.equal(open(newer, "c1", `device-${again}`), sockets[again], "the newer one takes its place");
    registry.remove(sockets[again]!);
    t.equal(open(socket(), "c1", "one more"), null, "which is no more room than before");
    registry.remove(newer);
    t.equal(open(socket(), "c1", `device-${again}`), undefined, "gone is gone");
    t.equal(stats.connections, MOST + 4);
    t.equal(stats.opening, 2, "those that were refused are not closed yet");
  }
});

t.test("R-PRO-5: in whatever order a person's sockets go, the others stay", async (t) => {
  const orders = [0, 1, 2, 3].flatMap((first) =>
    [0, 1, 2, 3].flatMap((second) => (first === second ? [] : [[first, second]])),
  );
  for (const [first, second] of orders as [number, number][]) {
    const { registry, socket, open } = world();
    const sockets = Array.from({ length: MOST }, socket);
    for (const [i, each] of sockets.entries()) open(each, "c1", `device-${i}`);
    registry.remove(sockets[first]!);
    registry.remove(sockets[second]!);
    for (const [i, each] of sockets.entries()) {
      const isThere = i !== first && i !== second;
      const newer = socket();
      t.equal(open(newer, "c1", `device-${i}`), isThere ? each : undefined);
      registry.remove(isThere ? each : newer);
    }
    t.equal(registry.connections.size, 2);
  }
});
