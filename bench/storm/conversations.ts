/**
 * Devices that follow a customer's conversation with support. Every event is a message: one command, one commit, told to
 * everybody who listens — what an event is in the programs beside ours, too. `publish` says it over HTTP, as an app does
 * that has no socket.
 *
 * A line does on the wire what the client library does (HELLO and SUB in one message) and nothing else, as the lines to
 * the programs beside ours do.
 */
import { Agent } from "node:http";
import { decode } from "../../src/lib/msgpack.js";
import { OP, SOCKET_PATH, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import type { Address } from "../harness/program-messages.js";
import { post } from "../load/http-post.js";
import { openRawSocket, type RawSocket } from "../load/raw-socket.js";
import { type Frame, send } from "../load/wire.js";
import type { StormAdapterMaker, StormHeard, StormLine } from "../peers/ports.js";
import type { Conversation } from "./stage-conversations.js";

/** With the rest of an event, as many bytes on the line as the programs beside ours send (a new order's). */
const TEXT_CHARACTERS = 320;
/** The request number of a line's one SUB. */
const SUBSCRIPTION = 1;

interface Place {
  readonly epoch: number;
  readonly offset: number;
}
interface Listener {
  readonly channel: string;
  readonly token: string;
  readonly deviceId: string;
  /** Null: it has heard nothing yet. */
  readonly from: Place | null;
}

const textOf = (number: number): string => `${number} `.padEnd(TEXT_CHARACTERS, "Where is my order? ");
const numberOf = (type: unknown, body: unknown): number | null =>
  type === "chat.message" ? Number.parseInt((body as { readonly text: string }).text, 10) : null;

function openLine(address: Address, { channel, token, deviceId, from }: Listener, heard: StormHeard): StormLine {
  let place = from;
  /** Behind, until this offset has been heard. */
  let target: number | null = null;
  const caughtUp = (): void => {
    if (target === null || place === null || place.offset < target) return;
    target = null;
    heard.live(true);
  };
  const take = (frame: Frame, socket: RawSocket): void => {
    switch (frame[0]) {
      case OP.subbed: {
        const [, , epoch, top, recovered] = frame as readonly [number, string, number, number, boolean];
        place = { epoch, offset: recovered && place !== null ? place.offset : top };
        if (recovered) target = top;
        caughtUp();
        return;
      }
      case OP.event: {
        const [, , offset, type, , body] = frame as readonly [number, string, number, unknown, number, unknown];
        if (place === null) return;
        place = { epoch: place.epoch, offset };
        heard.event(offset, numberOf(type, body));
        caughtUp();
        return;
      }
      case OP.state:
        if (frame[2] === "snapshot") heard.live(false);
        return;
      case OP.ping:
        send(socket, [OP.pong, frame[1]]);
        return;
      case OP.err:
        heard.closed(`refused: ${String(frame[2])}`);
        return;
      default:
    }
  };
  const socket = openRawSocket({
    ...address,
    path: SOCKET_PATH,
    subprotocol: SUBPROTOCOL_MSGPACK,
    onOpen(opened) {
      const subscribe = [OP.sub, SUBSCRIPTION, channel];
      send(opened, [
        OP.batch,
        [OP.hello, token, deviceId, "bench"],
        from === null ? subscribe : [...subscribe, from.epoch, from.offset],
      ]);
    },
    onMessage(payload, opened) {
      const frame = decode<Frame>(payload);
      if (frame[0] === OP.batch) for (const each of frame.slice(1) as Frame[]) take(each, opened);
      else take(frame, opened);
    },
    onClose: (code) => heard.closed(`closed with ${code}`),
  });
  return {
    cut() {
      socket.cut();
      return place;
    },
    close: () => socket.close(),
  };
}

/** As many at once as the lines to the programs beside ours publish over. */
const PUBLISHING = 64;

export const storm: StormAdapterMaker = (address, note, { channels }) => {
  const conversations = note as readonly Conversation[];
  const agent = new Agent({ keepAlive: true, maxSockets: PUBLISHING });
  return {
    open({ index, channel, resume }, heard) {
      const { roomId, token } = conversations[channel]!;
      const deviceId = `device-${Math.floor(index / channels)}`;
      return openLine(address, { channel: `room:${roomId}`, token, deviceId, from: resume as Place | null }, heard);
    },
    async publish(channel, number) {
      const { roomId, token } = conversations[channel]!;
      const messageId = `storm-${channel}-${number}`;
      const path = `/v1/rooms/${encodeURIComponent(roomId)}/messages`;
      const body = JSON.stringify({ messageId, text: textOf(number) });
      const { isOk, text } = await post(agent, address, path, { token, key: messageId }, body);
      if (!isOk) throw new Error(text);
    },
    async close() {
      agent.destroy();
    },
  };
};
