/**
 * Whose request it is, for whatever counts addresses: limits of those without a token, guesses at passwords and at the
 * operator's secret. Behind a proxy or a load balancer every line comes from it, so all the world would share one count
 * and whoever uses it up would lock everybody out. Those in front that are named are believed when they say for whom they
 * speak: by the PROXY protocol (version 2) at the line's beginning, or by `X-Forwarded-For`.
 *
 * Invariants: nobody else is believed, so nobody escapes a limit by what they say of themselves; of a chain of addresses
 * the last one that is not a named proxy's counts, because all before it is hearsay; an IPv6 address counts with its
 * network of 64 bits, which one household has for itself.
 */
import { BlockList, isIP } from "node:net";
import type { NativeRequest, NativeResponse } from "../native.js";

/** Proxies in a row that are looked through; a longer tale is nobody's honest one. */
const MOST_HOPS = 16;

export type AddressReader = (res: NativeResponse, req: NativeRequest) => string;

/** `trusted`: addresses and networks (`10.0.0.0/8`). Throws when one is neither. */
export function createAddressReader(trusted: readonly string[]): AddressReader {
  if (trusted.length === 0) return (res) => countedAs(textOf(res.getRemoteAddressAsText()));
  const proxies = new BlockList();
  for (const each of trusted) {
    const [address = "", bits] = each.split("/");
    const family = familyOf(address);
    if (family === null) throw new RangeError(`${each} is no address and no network`);
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  const isProxy = (address: string): boolean => {
    const family = familyOf(address);
    return family !== null && proxies.check(address, family);
  };
  return (res, req) => {
    let address = textOf(res.getRemoteAddressAsText());
    if (!isProxy(address)) return countedAs(address);
    const said = textOf(res.getProxiedRemoteAddressAsText());
    if (said !== "") address = said;
    const chain = isProxy(address) ? forwardedFor(req) : [];
    for (let hops = 0; hops < MOST_HOPS && isProxy(address); hops++) {
      const before = plainAddress(chain.pop() ?? "");
      if (before === null) break;
      address = before;
    }
    return countedAs(address);
  };
}

const textOf = (text: ArrayBuffer): string => Buffer.from(text).toString("latin1");

function familyOf(address: string): "ipv4" | "ipv6" | null {
  switch (isIP(address)) {
    case 4:
      return "ipv4";
    case 6:
      return "ipv6";
    default:
      return null;
  }
}

/** Nearest last. A proxy may add a line of its own instead of lengthening the one it got, so all lines count. */
function forwardedFor(req: NativeRequest): string[] {
  const lines: string[] = [];
  req.forEach((name, value) => {
    if (name === "x-forwarded-for") lines.push(value);
  });
  return lines.join(",").split(",");
}

/** Some proxies tell the port, too: `1.2.3.4:5678`, `[2001:db8::1]:5678`. Null: no address. */
function plainAddress(text: string): string | null {
  const word = text.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(word)?.[1] ?? /^([\d.]+):\d+$/.exec(word)?.[1] ?? word;
  return isIP(bare) === 0 ? null : bare;
}

/** IPv4 as it is, also where it is dressed as IPv6; of IPv6 the network. */
function countedAs(address: string): string {
  if (!address.includes(":") || isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join(".");
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  // The last two groups may be written as IPv4; a zone after % names a line of this machine.
  const plain = address.replace(/%.*$/, "").replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const pair = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
    return `${pair(a, b)}:${pair(c, d)}`;
  });
  const [head = "", tail] = plain.split("::");
  const read = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? "")];
  return tail === undefined
    ? before
    : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
