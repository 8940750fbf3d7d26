/** Where a node that listens on `host` is reached from its own machine. A host that means every address is no address. */
export function reachableAt(host: string, port: number): string {
  return `http://${EVERY[host] ?? (host.includes(":") ? `[${host}]` : host)}:${port}`;
}

const EVERY: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };
