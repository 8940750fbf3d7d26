/** What everybody is told, on a page: each message of a socket is a turn of its own there. */
import t from "tap";
import { seededRandom } from "../src/lib/random.js";
import { scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { settled, VirtualClock } from "./fixtures/virtual-clock.js";
import { createClient, watchAnnouncements } from "./mod.js";

const HOUR_MS = 3_600_000;

t.test(
  "R-COM-2: a page that comes back goes on showing what still stands, and nothing that was taken back",
  async (t) => {
    const clock = new VirtualClock();
    const { Socket, made } = scriptedSockets();
    const client = createClient({ url: "http://n", token: "t", WebSocket: Socket, clock, random: seededRandom(1) });
    const lists: string[] = [];
    const changed = (list: readonly { readonly announcementId: string }[]): void => {
      lists.push(list.map(({ announcementId }) => announcementId).join(" "));
    };
    watchAnnouncements(client, { changed }, { clock });
    const startsAt = clock.now();
    const begins = async (...ids: readonly string[]): Promise<void> => {
      const socket = made.at(-1)!;
      socket.opens();
      socket.receives(WELCOME(clock.now()));
      await settled();
      socket.receives([21, "announcements:all", 1, ids.length, false]);
      for (const announcementId of ids) {
        await settled();
        const body = { announcementId, startsAt, endsAt: startsAt + HOUR_MS, title: announcementId };
        socket.receives([20, "announcements:all", announcementId, [startsAt, 1], clock.now(), HOUR_MS, body]);
      }
      await settled();
    };
    client.connect();
    await begins("a", "b", "c");
    t.same(lists.splice(0), ["a", "a b", "a b c"]);
    made.at(-1)!.closes(1006);
    client.wake();
    await begins("a", "b", "c");
    t.same(lists.splice(0), [], "nothing has changed, and nothing is read aloud again");
    made.at(-1)!.closes(1006);
    client.wake();
    await begins("a", "d");
    t.same(lists.splice(0), ["a d"]);
    made.at(-1)!.closes(1006);
    client.wake();
    await begins();
    t.same(lists.splice(0), [""]);
    client.close();
  },
);
