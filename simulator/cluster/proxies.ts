/** The ways from one node to its servers: straight ones, or ones that can be cut. */
import { type FaultyProxy, SERVER_NAMES, type ServerName } from "./types.js";
import type { Warden } from "./warden/client.js";

export type Urls = Readonly<Record<ServerName, string>>;

export interface Ways {
  /** What the node is told. */
  readonly urls: Urls;
  readonly proxies: Readonly<Record<ServerName, FaultyProxy>>;
}

export async function throughProxies(warden: Warden, node: string, servers: Urls): Promise<Ways> {
  const proxies = {} as Record<ServerName, FaultyProxy>;
  for (const name of SERVER_NAMES) proxies[name] = await openProxy(warden, `${node} ${name}`, servers[name]);
  const urls = Object.fromEntries(SERVER_NAMES.map((name) => [name, proxies[name].url])) as unknown as Urls;
  return { urls, proxies };
}

export function straight(servers: Urls): Ways {
  const absent = (name: ServerName): never => {
    throw new Error(`The way to ${name} is straight: start the cluster with proxies to cut it.`);
  };
  const proxies = {} as Record<ServerName, FaultyProxy>;
  for (const name of SERVER_NAMES) Object.defineProperty(proxies, name, { get: () => absent(name) });
  return { urls: servers, proxies };
}

/** A proxy to the server of a URL. Its own URL differs in the port alone. */
export async function openProxy(warden: Warden, proxy: string, target: string): Promise<FaultyProxy> {
  const targetPort = Number(new URL(target).port);
  const { port } = await warden.tell({ do: "listen", proxy, targetPort });
  const done = async (told: Promise<unknown>): Promise<void> => void (await told);
  return {
    url: target.replace(`:${targetPort}`, `:${port}`),
    cut: (direction, how) => done(warden.tell({ do: "cut", proxy, direction, how })),
    slow: (delayMs) => done(warden.tell({ do: "slow", proxy, delayMs })),
    heal: () => done(warden.tell({ do: "heal", proxy })),
    close: () => done(warden.tell({ do: "close", proxy })),
    stats: () => warden.statsOf(proxy),
  };
}
