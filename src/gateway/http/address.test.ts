import { connect } from "node:net";
import t from "tap";
import { eventually, MENU, startHarness } from "../fixtures/harness.js";
import { DEFAULT_TIER_RATES } from "../limits/tiers.js";
import type { NativeRequest, NativeResponse } from "../native.js";
import { createAddressReader } from "./address.js";

const bytes = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, "latin1")).buffer;

/** What counts for a line from `remote` that begins with the word of `proxied` and brings these header lines. */
function counted(trusted: readonly string[], remote: string, lines: readonly string[] = [], proxied = ""): string {
  const res = {
    getRemoteAddressAsText: () => bytes(remote),
    getProxiedRemoteAddressAsText: () => bytes(proxied),
  } as NativeResponse;
  const req: Pick<NativeRequest, "forEach"> = {
    forEach(hear) {
      hear("x-real-ip", "9.9.9.9");
      for (const line of lines) hear("x-forwarded-for", line);
    },
  };
  return createAddressReader(trusted)(res, req as NativeRequest);
}

t.test("R-PRO-5: an address that no named proxy speaks for counts by itself, whatever it says", async (t) => {
  t.equal(counted([], "1.2.3.4", ["5.6.7.8"], "5.6.7.8"), "1.2.3.4");
  t.equal(counted(["10.0.0.0/8"], "1.2.3.4", ["5.6.7.8"], "5.6.7.8"), "1.2.3.4");
  t.equal(counted(["10.0.0.0/8"], "11.0.0.1", ["5.6.7.8"]), "11.0.0.1");
});

t.test("R-PRO-5: a named proxy's word is believed, and nothing that its client had said before", async (t) => {
  const proxies = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"];
  t.equal(counted(proxies, "10.1.2.3", ["5.6.7.8"]), "5.6.7.8");
  t.equal(counted(proxies, "10.1.2.3", ["127.0.0.1, 1.1.1.1, 5.6.7.8"]), "5.6.7.8", "the last word");
  t.equal(counted(proxies, "10.1.2.3", ["1.1.1.1", "5.6.7.8"]), "5.6.7.8", "also in a line of its own");
  t.equal(counted(proxies, "10.1.2.3", ["1.1.1.1, 5.6.7.8, 192.0.2.7,10.9.9.9"]), "5.6.7.8", "through several");
  t.equal(counted(proxies, "10.1.2.3", [], "5.6.7.8"), "5.6.7.8", "at the beginning of its line");
  t.equal(counted(proxies, "10.1.2.3", ["1.1.1.1"], "5.6.7.8"), "5.6.7.8", "and then not what that client says");
  t.equal(counted(proxies, "10.1.2.3", ["5.6.7.8"], "192.0.2.7"), "5.6.7.8", "a balancer before a proxy");
  for (const nothing of [[], [""], ["unknown"], ["5.6.7.8, evil"], ["5.6.7.8,"]]) {
    t.equal(counted(proxies, "10.1.2.3", nothing), "10.1.2.3", JSON.stringify(nothing));
  }
  t.equal(counted(proxies, "10.1.2.3", [Array<string>(1_000).fill("10.0.0.1").join(",")]), "10.0.0.1");
  t.equal(counted(proxies, "10.1.2.3", ["5.6.7.8:4711"]), "5.6.7.8");
});

t.test("R-PRO-5: whoever has a network of IPv6 has one count, and IPv4 in its clothes is IPv4", async (t) => {
  t.equal(counted([], "2001:0db8:0000:0001:0000:0000:0000:0001"), "2001:db8:0:1::/64");
  t.equal(counted([], "2001:0db8:0000:0001:ffff:0000:1234:0001"), "2001:db8:0:1::/64");
  t.equal(counted([], "0000:0000:0000:0000:0000:ffff:0102:0304"), "1.2.3.4");
  t.equal(counted(["10.0.0.0/8"], "0000:0000:0000:0000:0000:ffff:0a00:0001", ["2001:db8::1"]), "2001:db8:0:0::/64");
  t.equal(counted(["::1"], "0000:0000:0000:0000:0000:0000:0000:0001", ["[2001:db8:7:8::9]:443"]), "2001:db8:7:8::/64");
  t.equal(counted(["::1"], "0000:0000:0000:0000:0000:0000:0000:0001", ["::ffff:1.2.3.4"]), "1.2.3.4");
  t.throws(() => createAddressReader(["everybody"]), RangeError);
});

const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** PROXY, version 2: TCP over IPv4 from `address`. */
function proxied(address: string): Buffer {
  const words = Buffer.alloc(16);
  words.writeUInt8(0x21, 0);
  words.writeUInt8(0x11, 1);
  words.writeUInt16BE(12, 2);
  Buffer.from(address.split(".").map(Number)).copy(words, 4);
  Buffer.from([127, 0, 0, 1]).copy(words, 8);
  words.writeUInt16BE(4711, 12);
  words.writeUInt16BE(80, 14);
  return Buffer.concat([SIGNATURE, words]);
}

/** The status of one request on a line of its own. */
function ask(port: number, path: string, lines: readonly string[], before: Buffer = Buffer.alloc(0)): Promise<number> {
  return new Promise((resolve, reject) => {
    const line = connect(port, "127.0.0.1", () => {
      const head = [`GET ${path} HTTP/1.1`, "host: node", ...lines.map((each) => `x-forwarded-for: ${each}`)];
      line.write(Buffer.concat([before, Buffer.from(`${head.join("\r\n")}\r\n\r\n`)]));
    });
    line.once("error", reject);
    line.once("data", (data: Buffer) => {
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString("latin1"))?.[1]));
      line.destroy();
    });
  });
}

// The plainest read has a shorter way of its own.
for (const path of ["/v1/restaurants?lat=1&lng=1", "/v1/restaurants/r1/menu"]) {
  t.test(`R-PRO-5: behind a named proxy nobody uses up another's ${path}`, async (t) => {
    const once = { perMinute: 1, burst: 1 };
    const h = await startHarness({
      settings: { trustedProxies: ["127.0.0.0/8"], tierRates: { ...DEFAULT_TIER_RATES, anonymous: once } },
    });
    t.teardown(() => h.close());
    await h.tell("restaurant", "r1", "list", MENU);
    await eventually("the menu is at hand", async () => {
      const { status } = await h.http("GET", "/v1/restaurants/r1/menu", { token: h.token("customer", "c1") });
      return status === 200;
    });
    const limited = async (...words: Parameters<typeof ask> extends [number, string, ...infer R] ? R : never) =>
      (await ask(h.port, path, ...words)) === 429;
    t.equal(await limited(["1.1.1.1"]), false);
    t.equal(await limited(["1.1.1.1"]), true, "once is enough");
    t.equal(await limited(["7.7.7.7", "1.1.1.1"]), true, "under whatever name");
    t.equal(await limited(["2.2.2.2"]), false, "another is not held to it");
    t.equal(await limited([], proxied("3.3.3.3")), false, "a balancer says it before the first request");
    t.equal(await limited(["4.4.4.4"], proxied("3.3.3.3")), true);
    t.equal(await limited(["4.4.4.4"]), false);
  });
}

t.test("R-PRO-5: without named proxies the line's own address counts", async (t) => {
  const once = { perMinute: 1, burst: 1 };
  const h = await startHarness({ settings: { tierRates: { ...DEFAULT_TIER_RATES, anonymous: once } } });
  t.teardown(() => h.close());
  t.not(await ask(h.port, "/v1/restaurants?lat=1&lng=1", ["1.1.1.1"]), 429);
  t.equal(await ask(h.port, "/v1/restaurants?lat=1&lng=1", ["2.2.2.2"], proxied("3.3.3.3")), 429);
});
