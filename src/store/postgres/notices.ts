/**
 * Notices by LISTEN and NOTIFY. Owns one session that listens, opened with the first listener and again whenever it is
 * lost, and one connection that speaks. Does not own the truth of anything said.
 *
 * Invariants: `missed` is called after LISTEN has been answered, so nothing falls between the two; a session that does
 * not answer within `ASK_MS` is given up, so that a cut line is known as such within twice that time.
 */

import { type Cancel, type Clock, sleep } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import { NoticeBoard, type Notices, writeNotice } from "../../lib/notices.js";
import { openConnections } from "./connection.js";
import pg from "./pg.js";

const CHANNEL = "swift_eats";
const RETRY_MS = 500;
const ASK_MS = 2_000;
const MAX_WAITING = 256;

/** What a statement of the store runs to say something within its own transaction; its parameter is `writeNotice`'s text. */
export const SAY_NOTICE = `pg_notify('${CHANNEL}', $1)`;

export function createPostgresNotices(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): Notices {
  const { connectionString, clock } = options;
  const log = (options.log ?? silentLog).child({ part: "notices" });
  const board = new NoticeBoard((error) => log.error({ error: String(error) }, "A listener of notices failed"));
  const connections = openConnections({
    connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats notices",
    clock,
    log,
  });
  let session: pg.Client | null = null;
  let started = false;
  let closed = false;
  let cancelAsk: Cancel = () => undefined;

  async function open(): Promise<void> {
    const client = new pg.Client({
      connectionString,
      application_name: "swift-eats listens",
      keepAlive: true,
      query_timeout: ASK_MS,
      connectionTimeoutMillis: ASK_MS,
    });
    client.on("error", () => undefined);
    client.on("notification", ({ payload }) => board.hear(payload ?? ""));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (closed) {
      await client.end();
      return;
    }
    session = client;
    client.once("end", lost);
    cancelAsk = clock.after(ASK_MS, ask);
    board.missed();
  }

  function ask(): void {
    const asked = session;
    if (asked === null || closed) return;
    asked.query("SELECT 1").then(
      () => {
        if (session === asked && !closed) cancelAsk = clock.after(ASK_MS, ask);
      },
      // Nobody waits for the farewell of a line that is cut.
      () => {
        void asked.end().catch(() => undefined);
        if (session === asked) lost();
      },
    );
  }

  function lost(): void {
    if (session === null || closed) return;
    session = null;
    cancelAsk();
    log.warn({}, "The session that hears notices was lost; it is opened again");
    void keep();
  }

  async function keep(): Promise<void> {
    while (!closed) {
      try {
        await open();
        return;
      } catch (error) {
        log.debug({ error: String(error) }, "Notices cannot be heard yet");
        await sleep(clock, RETRY_MS);
      }
    }
  }

  return {
    async publish(topic, value) {
      const text = writeNotice(topic, value);
      await connections.run((client) =>
        client.query({ name: "say_notice", text: `SELECT ${SAY_NOTICE}`, values: [text] }),
      );
    },
    listen(topic, listener) {
      const cancel = board.add(topic, listener);
      if (!started) {
        started = true;
        void keep();
      } else if (session !== null) {
        queueMicrotask(() => listens && session !== null && listener.missed());
      }
      let listens = true;
      return () => {
        listens = false;
        cancel();
      };
    },
    async close() {
      closed = true;
      cancelAsk();
      const last = session;
      session = null;
      await Promise.all([last?.end(), connections.close()]);
    },
  };
}
