import { generateKeyPairSync } from "node:crypto";
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { systemRandom } from "../../lib/random.js";
import { createMemoryAccounts } from "../../store/memory/mod.js";
import { createKeyring } from "./keyring.js";
import { createVault } from "./vault.js";

const newKey = (): string =>
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();

t.test(
  "R-ACC-2: a node whose given key counts for nothing, because its deployment began with another, says so",
  async (t) => {
    const clock = systemClock();
    const { accounts: store } = createMemoryAccounts(clock);
    const said: string[] = [];
    const nodeWith = async (privateKey: string) => {
      const keyring = createKeyring({
        store,
        vault: createVault(["a master secret"], systemRandom()),
        clock,
        first: { kid: "node", privateKey },
        settings: { spreadMs: 0, keepMs: 1_000 },
        onSigning: () => undefined,
        onOther: (kid) => void said.push(kid),
      });
      await keyring.load();
      await keyring.load();
      return keyring;
    };
    const first = newKey();
    const before = await nodeWith(first);
    await nodeWith(first);
    t.strictSame(said, [], "restarted with the same");
    const after = await nodeWith(newKey());
    t.strictSame(said, ["node"], "once, however often it reads the keys");
    t.strictSame(
      after.signing().map(({ publicKey }) => publicKey),
      before.signing().map(({ publicKey }) => publicKey),
      "what signs and verifies is what it was",
    );
  },
);
