import t from "tap";
import { reachableAt } from "./reachable.js";

t.test("R-OPS-1: what a node says of where it listens is an address, whatever it listens on", async (t) => {
  for (const [host, origin] of [
    ["127.0.0.1", "http://127.0.0.1:8080"],
    ["0.0.0.0", "http://127.0.0.1:8080"],
    ["::", "http://[::1]:8080"],
    ["2001:db8::7", "http://[2001:db8::7]:8080"],
    ["eats.example", "http://eats.example:8080"],
  ] as const) {
    t.equal(reachableAt(host, 8080), origin);
    t.equal(new URL(reachableAt(host, 8080)).origin, origin, "and one that can be asked");
  }
});
