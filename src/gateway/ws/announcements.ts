/**
 * The channel of announcements for one socket. It is no actor's: every gateway thread knows what stands. Each
 * announcement is a slot of its own, so that whoever comes back is told all that stand, and nothing twice.
 */
import { ANNOUNCEMENTS_CHANNEL, EVERYWHERE, OP } from "../../protocol/mod.js";
import type { AnnouncementService, Shown } from "../../services/announcements/mod.js";
import type { GatewayContext } from "../context.js";
import { Broadcast } from "../fanout/broadcast.js";
import type { Connection, OpenState, SocketSubscription } from "./connection.js";

/** `key` of the channel: a zone, or `all`. */
export function announcementSubscription(
  context: GatewayContext,
  service: AnnouncementService,
  connection: Connection,
  state: OpenState,
  requestId: number,
  key: string,
): SocketSubscription & { start(): void } {
  const channel = `${ANNOUNCEMENTS_CHANNEL}:${key}`;
  const reader = { role: state.principal.role, zone: key === EVERYWHERE ? null : key };
  let stop: (() => void) | null = null;
  let closed = false;
  const tell = (shown: Shown): void => {
    const now = context.clock.now();
    const [id, startsAt] =
      shown.kind === "show"
        ? [shown.announcement.announcementId, shown.announcement.startsAt]
        : [shown.announcementId, shown.startsAt];
    const body = shown.kind === "show" ? shown.announcement : null;
    const ttlMs = shown.kind === "show" ? Math.max(0, shown.announcement.endsAt - now) : 0;
    // It stands (1), or no longer (2): the newer word of the two.
    const version = [startsAt, body === null ? 2 : 1] as const;
    connection.latest(`${channel} ${id}`, new Broadcast([OP.state, channel, id, version, now, ttlMs, body]));
  };
  return {
    requestId,
    start() {
      connection.together(() => {
        const standing = service.shownTo(reader);
        // How many follow: whoever has heard so many may forget the rest.
        connection.frame([OP.subbed, channel, 1, standing.length, false]);
        for (const announcement of standing) tell({ kind: "show", announcement });
      });
      // A socket that reads too slowly may have been closed by what it has just been told.
      if (!closed) stop = service.follow(reader, tell);
    },
    acknowledge() {},
    close() {
      closed = true;
      stop?.();
      stop = null;
    },
  };
}
