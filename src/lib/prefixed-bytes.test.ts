import t from "tap";
import { PrefixedBytes } from "./prefixed-bytes.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

t.test("one beginning, many ends: shorter ones, longer ones than there was room for, and none", async (t) => {
  const bytes = new PrefixedBytes("Crème brûlée: ", 4);
  for (const end of ["12", "7", "", "9".repeat(40), "8"]) t.equal(text(bytes.with(end)), `Crème brûlée: ${end}`);
});
