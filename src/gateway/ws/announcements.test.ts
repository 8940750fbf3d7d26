import t from "tap";
import type { AnnouncementService } from "../../services/announcements/mod.js";
import type { GatewayContext } from "../context.js";
import { announcementSubscription } from "./announcements.js";
import type { Connection, OpenState } from "./connection.js";

t.test("rule 16: a socket that closes while it is told what stands leaves no follower behind", async (t) => {
  for (const closes of [true, false]) {
    const followers = new Set<unknown>();
    const service = {
      shownTo: () => [],
      follow(_reader: unknown, tell: unknown) {
        followers.add(tell);
        return () => followers.delete(tell);
      },
    } as unknown as AnnouncementService;
    // Over its bound, the native socket is closed by the very frame that begins the subscription.
    const connection = {
      together: (write: () => void) => write(),
      frame: () => closes && subscription.close(),
      latest: () => {},
    } as unknown as Connection;
    const state = { principal: { role: "customer" } } as unknown as OpenState;
    const context = { clock: { now: () => 0 } } as unknown as GatewayContext;
    const subscription = announcementSubscription(context, service, connection, state, 1, "all");
    subscription.start();
    t.equal(followers.size, closes ? 0 : 1);
    subscription.close();
    t.equal(followers.size, 0);
  }
});
