/**
 * `menu`: menus of a whole catalogue, compressed, from one node beside the bare server that answers the same bytes: what a
 * request costs at a rate that both bear, how many go, and how long they take at four fifths of that.
 */
import type { Scenario } from "../harness/ports.js";
import { type Document, readDocuments } from "../load/readers.js";
import { peers } from "../peers/mod.js";
import { catalogueOf, restaurantIds, startWithCatalogue } from "./catalogue.js";
import { bareReads, bareToOurs, FOUR_FIFTHS, MOST, OFTEN, peerReads, type ReadLoad, runningReads } from "./reads.js";

const PER_SECOND = 8_000;
const CONNECTIONS = 512;
const LOAD = "8,000 requests/s";
const STRIDE = 7_919;
/** A peer keeps every menu in its database: a part of them is enough to read it by. */
const PEER_DOCUMENTS = 2_000;

export const menu: Scenario = {
  name: "menu",
  what: "Menus of 20,000 restaurants with 30 dishes each, asked for in turn, compressed, over 512 connections.",
  loads: [LOAD, MOST, FOUR_FIFTHS],
  operation: "request",
  warmUpSeconds: 2,
  mostWarmUps: 6,
  lagBoundMs: 25,
  withoutIdle: true,
  sides(stage) {
    const catalogue = catalogueOf(stage);
    const ids = restaurantIds(catalogue);
    // Every restaurant once, in an order without a pattern, over and over.
    const requests = ids.map((_, i) => ({ path: `/v1/restaurants/${ids[(i * STRIDE) % ids.length]!}/menu` }));
    const load: ReadLoad = {
      perSecond: stage.scaled(PER_SECOND),
      connections: stage.scaled(CONNECTIONS, 16),
      processes: 1,
      requests,
      headers: "Accept-Encoding: gzip, deflate, br\r\n",
    };
    const peerRequests = requests.slice(0, PEER_DOCUMENTS);
    let url = "";
    let documents: readonly Document[] = [];
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL, started with the catalogue in it",
        async start() {
          const ours = await startWithCatalogue(stage, catalogue, OFTEN);
          const node = ours.target.nodes[0]!;
          url = node.url;
          documents = await readDocuments(url, requests, { "accept-encoding": "br" });
          const place = { address: ours.target.addresses[0]!, pid: node.pid };
          return runningReads(ours, { [LOAD]: place, [MOST]: place, [FOUR_FIFTHS]: place }, load);
        },
      },
      bareReads(
        "the native HTTP server alone, answering the same bytes and headers out of a map",
        { [LOAD]: "", [MOST]: "", [FOUR_FIFTHS]: "" },
        () => documents,
        async () => null,
        () => load,
      ),
      ...peerReads(
        stage,
        "menu",
        peers.menu,
        [MOST, FOUR_FIFTHS],
        async () => {
          const plain = await readDocuments(url, peerRequests, { "accept-encoding": "identity" });
          return {
            documents: plain.map(({ path, body }) => ({ path, body: new TextDecoder().decode(body) })),
            compressed: true,
          };
        },
        () => ({ ...load, requests: peerRequests }),
      ),
    ];
  },
  goals: [
    {
      what: "bare server's CPU per request ÷ ours, same bytes, both as many as go",
      unit: "×",
      better: "higher",
      atLeast: 0.6,
      ambition: 0.9,
      value: (look) => bareToOurs(look, MOST),
    },
    {
      what: "p99 at 80 % of the most that one node answers",
      unit: "ms",
      better: "lower",
      atLeast: 200,
      ambition: 10,
      value: (look) => look("ours", "p99Ms", FOUR_FIFTHS),
    },
  ],
  ratioToLimit: (look) => bareToOurs(look, MOST),
};
