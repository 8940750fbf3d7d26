import { once } from "node:events";
import { connect } from "node:net";
import t from "tap";
import { startHarness } from "./fixtures/harness.js";

t.test("R-OPS-1: a node started again has its port at once, whatever connections the one before left", async (t) => {
  const before = await startHarness();
  const { port } = before;
  const phone = connect(port, "127.0.0.1");
  phone.on("error", () => {});
  await once(phone, "connect");
  phone.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(phone, "data");
  // The server ends the connection, so that it is the server's port that the system keeps for a minute.
  const gone = once(phone, "close");
  await before.close();
  await gone;
  const after = await startHarness({ port });
  t.teardown(() => after.close());
  t.equal(after.port, port);
});
