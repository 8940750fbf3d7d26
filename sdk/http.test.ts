import type { IncomingMessage, ServerResponse } from "node:http";
import t, { type Test } from "tap";
import { type Clock, sleep, systemClock } from "../src/lib/clock.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { createHttp, type Http, type PlaceOrder, type TokenProvider, type TrackedOrder } from "./node.js";

async function nodeAndHttp(t: Test, tokenProvider: TokenProvider = () => "token"): Promise<[LoopbackNode, Http]> {
  const node = new LoopbackNode();
  const url = await node.listen();
  t.teardown(() => node.close());
  return [node, createHttp({ url, tokenProvider })];
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const ORDER: PlaceOrder = {
  restaurantId: "r",
  lines: [{ itemId: "i", quantity: 1, unitPriceMinor: 900 }],
  destination: { lat: 50, lng: 4 },
  currency: "EUR",
};

function tracked(version: number, status: string, at?: number): TrackedOrder {
  return {
    view: { version, status },
    ...(at === undefined ? {} : { position: { lat: 1, lng: 1, at, ageMs: 0 } }),
    fresh: true,
    serverTime: 0,
  } as unknown as TrackedOrder;
}

t.test("R-ORD-5: a write that fails for now is repeated with the same key and body", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  const asked: [string | undefined, string | undefined, string | undefined, string][] = [];
  node.onRequest = (request: IncomingMessage, body, response) => {
    const { authorization, "idempotency-key": key } = request.headers;
    asked.push([request.url, authorization, key as string | undefined, body]);
    if (asked.length === 1) return response.destroy();
    if (asked.length === 2) {
      return json(response, 503, { error: { code: "overloaded", temporary: true, retryAfterMs: 1 } });
    }
    json(response, 201, { orderId: "o" });
  };
  const placed = await http.placeOrder(ORDER);
  t.equal(placed.orderId, "o");
  t.equal(asked.length, 3);
  t.equal(new Set(asked.map((request) => request.join())).size, 1, "three times the same request");
  t.same([asked[0]![0], asked[0]![1]], ["/v1/orders", "Bearer token"]);
});

t.test("R-PRO-1: a refusal carries the node's code and is not repeated", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  let asked = 0;
  node.onRequest = (_request, _body, response) => {
    asked += 1;
    json(response, 409, { error: { code: "price_changed", temporary: false, detail: { items: [] } } });
  };
  await t.rejects(http.placeOrder(ORDER), { code: "price_changed", temporary: false, detail: { items: [] } });
  t.equal(asked, 1);
  node.onRequest = (_request, _body, response) => response.writeHead(502).end("<html>bad gateway</html>");
  await t.rejects(http.menu("r"), { code: "network", temporary: true }, "a proxy's answer is no answer of ours");
});

t.test("R-ACC-2: an expired token is renewed once", async (t) => {
  const reasons: string[] = [];
  const [node, http] = await nodeAndHttp(t, (reason) => {
    reasons.push(reason);
    return `token-${reasons.length}`;
  });
  node.onRequest = (request, _body, response) =>
    request.headers.authorization === "Bearer token-1"
      ? json(response, 401, { error: { code: "token_expired", temporary: false } })
      : json(response, 200, { restaurantId: "r" });
  t.match(await http.menu("r"), { restaurantId: "r" });
  t.same(reasons, ["http", "refresh"]);
});

t.test("R-TRK-1: polling yields what changed, never something older, and ends with the order", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  const answers: (TrackedOrder | null)[] = [
    tracked(1, "placed"),
    tracked(1, "placed"),
    null,
    tracked(3, "picked_up", 100),
    tracked(2, "ready"),
    tracked(3, "picked_up", 90),
    tracked(3, "picked_up", 200),
    tracked(4, "delivered"),
  ];
  node.onRequest = (_request, _body, response) => {
    const answer = answers.shift() ?? null;
    if (answer === null) json(response, 503, { error: { code: "unavailable", temporary: true } });
    else json(response, 200, answer);
  };
  const seen: string[] = [];
  for await (const { view, position } of http.follow("o", { everyMs: 5 })) {
    seen.push(`${view.version} ${position?.at ?? "-"}`);
  }
  t.same(seen, ["1 -", "3 100", "3 200", "4 -"]);
  node.onRequest = (_request, _body, response) =>
    json(response, 404, { error: { code: "not_found", temporary: false } });
  await t.rejects(http.follow("other").next(), { code: "not_found" });
});

t.test("R-TRK-1: server-sent events survive breaks in the middle of an event and resume by id", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  const lastIds: (string | undefined)[] = [];
  node.onRequest = (request, _body, response) => {
    lastIds.push(request.headers["last-event-id"] as string | undefined);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = (id: string, body: unknown): string => `id: ${id}\r\ndata: ${JSON.stringify(body)}\r\n\r\n`;
    if (lastIds.length === 1) {
      const second = event("2", tracked(2, "ready"));
      response.write(`retry: 1\n: hello\n\n${event("1", tracked(1, "placed"))}${second.slice(0, 20)}`, () =>
        response.destroy(),
      );
      return;
    }
    response.write(event("1", tracked(1, "placed")).slice(0, 9));
    response.write(event("1", tracked(1, "placed")).slice(9));
    response.end(event("2", tracked(2, "ready")) + event("3", tracked(3, "delivered")));
  };
  const seen: number[] = [];
  for await (const { view } of http.stream("o")) seen.push(view.version);
  t.same(seen, [1, 2, 3], "what was told before the break is not told again");
  t.same(lastIds, [undefined, "1"]);
});

t.test("R-PRO-3: a caller who stops reading ends the stream", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  let closed = 0;
  node.onRequest = (_request, _body, response) => {
    response.on("close", () => {
      closed += 1;
    });
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(tracked(1, "placed"))}\n\n`);
  };
  for await (const { view } of http.stream("o")) {
    t.equal(view.version, 1);
    break;
  }
  while (closed === 0) await sleep(systemClock(), 1);
  const controller = new AbortController();
  const reading = http.stream("o", controller.signal);
  await reading.next();
  const end = reading.next();
  controller.abort();
  t.equal((await end).done, true);
});

t.test("R-ACC-2: operators get tokens by their secret, not by a bearer token", async (t) => {
  const [node, http] = await nodeAndHttp(t);
  node.onRequest = (request, body, response) => {
    t.equal(request.headers.authorization, "Operator secret");
    const { principals } = JSON.parse(body) as { principals: { id: string; role: string }[] };
    json(response, 200, { tokens: principals.map(({ id, role }) => `${role}:${id}`) });
  };
  const principals = [
    { id: "d1", role: "driver" },
    { id: "c1", role: "customer" },
  ] as const;
  t.same(await http.issueTokens({ operatorSecret: "secret", principals, ttlSeconds: 60 }), [
    "driver:d1",
    "customer:c1",
  ]);
});

/** Nodes of one cluster, each with its own way to answer. The client begins at the first. */
const ANSWER_TIMEOUT_MS = 60_000;

async function nodesAndHttp(t: Test, count: number, clock: Clock = systemClock()): Promise<[LoopbackNode[], Http]> {
  const nodes = Array.from({ length: count }, () => new LoopbackNode());
  const urls = await Promise.all(nodes.map((node) => node.listen()));
  t.teardown(() => Promise.all(nodes.map((node) => node.close())));
  const random = { next: () => 0, bytes: (length: number) => new Uint8Array(length) };
  return [nodes, createHttp({ url: urls, token: "token", clock, random, answerTimeoutMs: ANSWER_TIMEOUT_MS })];
}

t.test(
  "R-PRO-3: what one node does not answer is asked of the others, and the client stays where it is answered",
  async (t) => {
    const [[first, second, third], http] = await nodesAndHttp(t, 3);
    const asked: string[] = [];
    first!.onRequest = (_request, _body, response) => {
      asked.push("first");
      response.destroy();
    };
    second!.onRequest = (_request, _body, response) => {
      asked.push("second");
      json(response, 503, { error: { code: "draining", temporary: true, retryAfterMs: 3_600_000 } });
    };
    third!.onRequest = (_request, _body, response) => {
      asked.push("third");
      json(response, 200, { restaurantId: "r" });
    };
    t.match(await http.menu("r"), { restaurantId: "r" });
    t.match(await http.menu("r"), { restaurantId: "r" });
    t.same(asked, ["first", "second", "third", "third"]);
  },
);

t.test(
  "R-ORD-5: a write goes to the next node with the same key and body, without waiting for the node that is leaving",
  async (t) => {
    const [[first, second], http] = await nodesAndHttp(t, 2);
    const asked: [string | undefined, string][] = [];
    first!.onRequest = (request, body, response) => {
      asked.push([request.headers["idempotency-key"] as string, body]);
      json(response, 503, { error: { code: "draining", temporary: true, retryAfterMs: 3_600_000 } });
    };
    second!.onRequest = (request, body, response) => {
      asked.push([request.headers["idempotency-key"] as string, body]);
      json(response, 201, { orderId: "o" });
    };
    t.match(await http.placeOrder(ORDER), { orderId: "o" });
    t.equal(asked.length, 2);
    t.same(asked[0], asked[1]);
  },
);

t.test("R-PRO-1: a refusal that another node would repeat is not carried around", async (t) => {
  const [[first, second], http] = await nodesAndHttp(t, 2);
  let asked = 0;
  first!.onRequest = (_request, _body, response) => {
    asked++;
    json(response, 404, { error: { code: "not_found", temporary: false } });
  };
  second!.onRequest = () => t.fail("asked elsewhere");
  await t.rejects(http.menu("r"), { code: "not_found" });
  await t.rejects(http.menu("r"), { code: "not_found" });
  t.equal(asked, 2);
});

t.test("R-PRO-3: a node that keeps silent is given up, and the other is asked", async (t) => {
  // Time runs out when the silent node has been asked, however long the other takes.
  let patienceEnds = (): void => {};
  const clock: Clock = {
    ...systemClock(),
    after(delayMs, run) {
      if (delayMs !== ANSWER_TIMEOUT_MS) return systemClock().after(delayMs, run);
      patienceEnds = run;
      return () => {};
    },
  };
  const [[first, second], http] = await nodesAndHttp(t, 2, clock);
  let silent = 0;
  first!.onRequest = () => {
    silent++;
    patienceEnds();
  };
  second!.onRequest = (_request, _body, response) => json(response, 200, { restaurantId: "r" });
  t.match(await http.menu("r"), { restaurantId: "r" });
  t.equal(silent, 1);
  const [[alone], only] = await nodesAndHttp(t, 1, clock);
  alone!.onRequest = () => patienceEnds();
  await t.rejects(only.menu("r"), { code: "timeout", temporary: true });
});

t.test("R-TRK-1: a stream that breaks is opened at another node and goes on where it was", async (t) => {
  const [[first, second], http] = await nodesAndHttp(t, 2);
  const event = (id: string, body: unknown): string => `id: ${id}\r\ndata: ${JSON.stringify(body)}\r\n\r\n`;
  first!.onRequest = (_request, _body, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`retry: 1\n\n${event("1", tracked(1, "placed"))}`, () => response.destroy());
  };
  let lastId: string | undefined;
  second!.onRequest = (request, _body, response) => {
    lastId = request.headers["last-event-id"] as string | undefined;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(event("2", tracked(2, "delivered")));
  };
  const seen: number[] = [];
  for await (const { view } of http.stream("o")) seen.push(view.version);
  t.same(seen, [1, 2]);
  t.equal(lastId, "1");
});
