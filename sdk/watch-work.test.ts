/** A driver's work where sockets come, go, and do not come through. */
import t from "tap";
import { systemClock } from "../src/lib/clock.js";
import type { Json } from "../src/lib/json.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { createClient, type DriverSnapshot, type WorkSource, watchWork } from "./node.js";

const clock = systemClock();
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => clock.after(2, resolve));
}

const work = (offers: readonly string[], send = true): Json => ({
  onShift: true,
  offers: offers.map((offerId) => ({ offerId })),
  trip: null,
  gps: { send, everyMs: 5_000, reason: "available" },
});

t.test(
  "R-PRO-3 R-DSP-9: offers come by polls while no socket does, and the socket begins with a snapshot after them",
  async (t) => {
    const node = new LoopbackNode();
    const url = await node.listen();
    const channel = node.channel("driver:d");
    channel.snapshot = work([]);
    let present: Json = work(["by-poll"]);
    let status = 200;
    let polls = 0;
    node.onRequest = (request, _body, response) => {
      t.equal(request.url, "/v1/drivers/me/work");
      polls++;
      const refusal = { error: { code: status === 403 ? "forbidden" : "unavailable", temporary: status !== 403 } };
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(status === 200 ? present : refusal));
    };
    const client = createClient({ url, token: "token", deviceId: "phone", backoffBaseMs: 2, backoffMaxMs: 5 });
    const seen: string[] = [];
    const sources: (WorkSource | null)[] = [];
    let ended = "";
    const watch = watchWork(
      client,
      "d",
      {
        snapshot: ({ offers }: DriverSnapshot) => seen.push(offers.map(({ offerId }) => offerId).join(",")),
        event: ({ type, body }) => seen.push(`${type} ${(body as { offerId?: string }).offerId}`),
        source: (source) => sources.push(source),
        ended: ({ code }) => {
          ended = code;
        },
      },
      // The first socket comes before the first poll, on a slow machine too.
      { patienceMs: 500, pollMs: 10 },
    );
    t.teardown(async () => {
      watch.stop();
      client.close();
      await node.close();
    });
    client.connect();
    await until(() => seen.length === 1);
    node.push("driver:d", "offer.made", { offerId: "by-socket" });
    await until(() => seen.length === 2);
    t.same(seen, ["", "offer.made by-socket"]);
    t.same(sources, ["socket"]);

    node.onHello = () => 4001;
    node.dropAll();
    await until(() => sources.at(-1) === "poll");
    t.equal(seen.at(-1), "by-poll");
    t.equal(client.gps.policy.send, true, "the node's word on positions comes along");
    status = 503;
    await until(() => sources.at(-1) === null);
    status = 200;
    present = work(["second"], false);
    await until(() => seen.at(-1) === "second");
    t.equal(client.gps.policy.send, false);
    const polled = seen.length;
    const before = polls;
    await until(() => polls > before + 2);
    t.equal(seen.length, polled, "what has not changed is not told again");

    // What happened meanwhile is in the polls: the socket must not tell it once more.
    node.push("driver:d", "offer.closed", { offerId: "by-poll" });
    channel.snapshot = work(["third"]);
    node.onHello = () => null;
    await until(() => seen.at(-1) === "third");
    t.same(seen.slice(polled), ["third"]);
    t.equal(watch.source, "socket");

    node.onHello = () => 4001;
    status = 403;
    node.dropAll();
    await until(() => ended !== "");
    t.equal(ended, "forbidden");
    t.equal(watch.source, null);
  },
);
