import t from "tap";
import { missing, startNats } from "../../../test/support/servers.js";
import type { EndpointId, Link } from "../../actors/runtime/link.js";
import { type LinkHarness, linkContract } from "../../actors/runtime/links/contract.js";
import type { LinkBounds } from "../../actors/runtime/mod.js";
import { silentLog } from "../../lib/log.js";
import { endOfTurn } from "../../lib/schedule.js";
import { clock, random, startProxy, type TestProxy, until } from "./fixtures/links.js";
import { type NatsLink, openNatsLink } from "./mod.js";

/** Only the crash is noticed by silence: long enough that a slow machine is not taken for it. */
const SILENCE_MS = 4_000;

const turn = (): Promise<void> => new Promise((resolve) => endOfTurn(resolve));

t.test("R-CLU-3: the link over NATS holds the contract of links", { skip: missing("nats") }, async (t) => {
  const server = await startNats();
  t.teardown(() => server.stop());
  let clusters = 0;

  /** Each endpoint is a node of its own, with its own way to the server. */
  async function harness(bounds: LinkBounds): Promise<LinkHarness> {
    const cluster = `contract-${++clusters}`;
    const links = new Map<EndpointId, { link: NatsLink; proxy: TestProxy }>();
    const dead: NatsLink[] = [];

    /** Whether every pair is in one session and all that one side sent in it was consumed by the other. */
    const quiet = (): boolean => {
      for (const { link } of links.values()) {
        const { peers } = link.stats();
        if (peers.filter((peer) => peer.up).length !== links.size - 1) return false;
        for (const near of peers) {
          const other = links.get(near.peer)?.link;
          const far = other?.stats().peers.find((peer) => peer.peer === link.self);
          if (!near.up || far === undefined || near.queued > 0 || near.sent !== far.received) return false;
          if (near.session[0] !== far.session[1] || near.session[1] !== far.session[0]) return false;
        }
      }
      return true;
    };
    const settle = async (): Promise<void> => {
      for (let still = 0; still < 3; still++) {
        await turn();
        if (quiet()) continue;
        await until("quiet", quiet, () => [...links.values()].map(({ link }) => link.stats()));
        still = 0;
      }
    };

    return {
      async open(self) {
        const proxy = await startProxy(server.port);
        const link = openNatsLink({
          url: proxy.url,
          cluster,
          self,
          clock,
          random,
          log: silentLog,
          settings: { ...bounds, heartbeatMs: 50, silenceMs: SILENCE_MS, window: 64 },
        });
        links.set(self, { link, proxy });
        await settle();
        const known: Link = {
          ...link,
          close() {
            links.delete(self);
            dead.push(link);
            link.close();
            t.teardown(() => proxy.close());
          },
        };
        return known;
      },
      async crash(id) {
        const { link, proxy } = links.get(id)!;
        links.delete(id);
        dead.push(link);
        proxy.cut();
        t.teardown(() => proxy.close());
        await settle();
      },
      settle,
      async close() {
        await Promise.all([...dead, ...[...links.values()].map(({ link }) => link)].map((link) => link.shutdown()));
        for (const { proxy } of links.values()) await proxy.close();
      },
    };
  }

  linkContract(t, "NATS", harness);
});
