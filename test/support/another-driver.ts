/** Somebody who drives without a page: a new account that an admin has made a driver's. */
import type { Test } from "tap";
import { createHttp, type Http } from "../../sdk/node.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Point } from "../../src/lib/geo.js";
import type { Fix } from "../../src/protocol/mod.js";

const FIX_EVERY_MS = 4_000;

export interface DriverWithoutPage {
  readonly id: string;
  readonly http: Http;
  /** Begins a shift there, and says again and again that they are there, until the test is over. */
  comes(where: Point): Promise<void>;
}

/** `boss`: an admin of the node at `url`. */
export async function driverWithoutPage(
  t: Test,
  { url, boss, password, name }: { readonly url: string; readonly boss: Http; password: string; name: string },
): Promise<DriverWithoutPage> {
  const clock = systemClock();
  const door = createHttp({ url });
  const email = `${name.toLowerCase()}@example.org`;
  const { accountId } = await door.send<{ readonly accountId: string }>("POST", "/v1/accounts", {
    email,
    password,
    name,
  });
  await boss.send("PUT", `/v1/accounts/${accountId}/roles/driver`, { reason: "for the test" });
  const session = { email, password, role: "driver" };
  const { accessToken: token } = await door.send<{ readonly accessToken: string }>("POST", "/v1/auth/sign-in", session);
  const http = createHttp({ url, token });
  await http.send("PUT", "/v1/me/consents/location", { given: true });
  const { principalId: id } = await http.get<{ readonly principalId: string }>("/v1/me");
  return {
    id,
    http,
    async comes({ lat, lng }) {
      await http.command("driver.online", { name, vehicle: "bicycle", lat, lng });
      let seq = 0;
      t.teardown(
        clock.every(FIX_EVERY_MS, () => {
          const here: Fix = [0, lat, lng, 5, -1, -1];
          http.gps({ bootId: "boot", seq0: seq++, baseTs: clock.now(), fixes: [here] }).catch(() => undefined);
        }),
      );
    },
  };
}
