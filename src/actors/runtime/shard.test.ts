import t from "tap";
import { shardOf } from "./shard.js";

t.test("R-CLU-2: where actors live never changes: what is stored would be orphaned", async (t) => {
  const known = [
    ["order", "o-1", 91],
    ["driver", "driver-1234", 277],
    ["dispatch-zone", "861ec9027ffffff", 176],
    ["restaurant", "ünïcødé 店", 44],
    ["chat-room", "support:0192f6b0-1234-7000-8000-123456789abc", 53],
    ["account", "", 415],
  ] as const;
  for (const [kind, key, shard] of known) t.equal(shardOf({ kind, key }), shard, `${kind}/${key}`);
});
