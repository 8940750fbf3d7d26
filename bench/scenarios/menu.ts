/** `menu`: menus of a whole catalogue, compressed, from one node beside the bare server that answers the same bytes. */
import type { Scenario } from "../harness/ports.js";
import { type Document, readDocuments } from "../load/readers.js";
import { peers } from "../peers/mod.js";
import { fillCatalogue, restaurantIds } from "./catalogue.js";
import { startOurs } from "./our-node.js";
import { bareReads, bareToOurs, peerReads, type ReadLoad, runningReads } from "./reads.js";

const RESTAURANTS = 5_000;
const ITEMS = 30;
const PER_SECOND = 8_000;
const CONNECTIONS = 512;
const LOAD = "8,000 requests/s";
const STRIDE = 7_919;

export const menu: Scenario = {
  name: "menu",
  what: "Menus of 5,000 restaurants, each asked for in turn, compressed, over 512 connections.",
  loads: [LOAD],
  operation: "request",
  warmUpSeconds: 2,
  lagBoundMs: 25,
  withoutIdle: true,
  sides(stage) {
    const catalogue = { seed: 1, restaurants: stage.scaled(RESTAURANTS, 50), items: ITEMS, alwaysOpen: true };
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
    let url = "";
    let documents: readonly Document[] = [];
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL",
        async start() {
          const ours = await startOurs(stage);
          const node = ours.target.nodes[0]!;
          await fillCatalogue(node, catalogue, stage.note);
          url = node.url;
          documents = await readDocuments(url, requests, { "accept-encoding": "br" });
          return runningReads(ours, { [LOAD]: { address: ours.target.addresses[0]!, pid: node.pid } }, load);
        },
      },
      bareReads(
        "the native HTTP server alone, answering the same bytes and headers out of a map",
        { [LOAD]: "" },
        () => documents,
        async () => null,
        () => load,
      ),
      ...peerReads(
        stage,
        "menu",
        peers.menu,
        LOAD,
        async () => {
          const plain = await readDocuments(url, requests, { "accept-encoding": "identity" });
          return {
            documents: plain.map(({ path, body }) => ({ path, body: new TextDecoder().decode(body) })),
            compressed: true,
          };
        },
        () => load,
      ),
    ];
  },
  goals: [
    {
      what: "bare server's CPU per request ÷ ours, same bytes",
      unit: "×",
      better: "higher",
      atLeast: 0.6,
      ambition: 0.9,
      value: (look) => bareToOurs(look),
    },
  ],
  ratioToLimit: (look) => bareToOurs(look),
};
