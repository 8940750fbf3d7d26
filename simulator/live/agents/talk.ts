/**
 * What a customer or a driver writes to the other while an order is on its way.
 *
 * Owns: opening the order's room, saying lines one after the other, telling the recorder what the room showed. Does not
 * own the client. Invariants: no two lines of a run have the same text, so a repeated one is known for it; nothing is
 * said after `stop`.
 */
import { type Chat, type Client, chat, openTripRoom } from "../../../sdk/node.js";
import { seededRandom } from "../../../src/lib/random.js";
import { between } from "../../city/mod.js";
import type { Words } from "../plan.js";
import { type AgentContext, codeOf, isTemporary, pause } from "./context.js";

const SECONDS_BETWEEN = [2, 40] as const;
const OPEN_AGAIN_MS = 700;

export interface Talk {
  stop(): void;
}

/** `stream` names the person in what is recorded. */
export function talk(
  context: AgentContext,
  client: Client,
  stream: string,
  orderId: string,
  { lines, seed }: Words,
): Talk {
  const random = seededRandom(seed);
  const { clock, time, ended, recorder } = context;
  let room: Chat | null = null;
  let stopped = false;
  const over = (): boolean => stopped || ended.aborted;

  function stop(): void {
    if (stopped) return;
    stopped = true;
    room?.stop();
  }

  /** Null: it is not theirs to open, or they have left. */
  async function open(): Promise<string | null> {
    while (!over()) {
      try {
        return (await openTripRoom(client, orderId)).roomId;
      } catch (error) {
        if (!isTemporary(error) || codeOf(error) === "closed") return null;
        await pause(clock, OPEN_AGAIN_MS, ended);
      }
    }
    return null;
  }

  async function converse(): Promise<void> {
    const roomId = await open();
    if (roomId === null || over()) return;
    const entered = chat(
      client,
      roomId,
      {
        changed: () => {
          const shown = (room?.lines ?? []).map((line) => ({
            offset: line.offset,
            text: line.type === "chat.message" ? line.body.text : "",
          }));
          recorder.room(roomId, stream, shown, clock.now());
        },
        ended: stop,
      },
      { clock, random },
    );
    room = entered;
    ended.addEventListener("abort", stop, { once: true });
    for (let number = 1; number <= lines; number++) {
      const [least, most] = SECONDS_BETWEEN;
      await pause(clock, time.wallMs(between(random, least, most) * 1000), ended);
      if (over()) return;
      const text = `${stream} ${number}`;
      try {
        const { offset } = await entered.say(text);
        recorder.said(roomId, stream, text, offset, clock.now());
      } catch {
        // Refused, or the line to the node has gone for good: nothing was promised.
      }
    }
  }

  void converse();
  return { stop };
}
