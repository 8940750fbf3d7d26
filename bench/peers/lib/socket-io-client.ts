/**
 * The leanest Socket.IO client that a load generator can use: Engine.IO 4 over a WebSocket from the first byte, the
 * default JSON packets, acknowledgements, and connection state recovery. No timers, no events, no queues. Node's own
 * `socket.io-client` does the same on the line and costs several times as much, and the generator shares the machine
 * with the server that it measures.
 *
 * The packets are those of the Engine.IO protocol 4 and the Socket.IO protocol 5 (`0` open, `2` ping, `3` pong, `4`
 * message; within a message `0` connect, `1` disconnect, `2` event, `3` acknowledgement, `4` refused). Only what these
 * programs send is understood: no binary packets, no other namespaces.
 */
import { openRawSocket, type RawSocket } from "../../load/raw-socket.js";

/** From where a line is to go on: what a server with connection state recovery asks for. */
export interface Recovery {
  readonly pid: string;
  /** Of the newest packet that was handled; null: none yet. */
  readonly offset: string | null;
}

export interface SocketIoOptions {
  readonly host: string;
  readonly port: number;
  /** What the server's middleware reads as `handshake.auth`. */
  readonly auth: Readonly<Record<string, unknown>>;
  readonly recovery: Recovery | null;
  /** The server has said who we are. `recovered`: every packet since `recovery` has been handed up before this call. */
  readonly onConnect: (recovered: boolean) => void;
  readonly onEvent: (name: string, body: unknown) => void;
  /** The line broke, the server ended it, or it refused us: `reason` is then its own. */
  readonly onClose: (reason: string) => void;
}

export interface SocketIoLine {
  /** `answered` gets what the server's acknowledgement brings. */
  emit(name: string, body: unknown, answered?: (body: unknown) => void): void;
  close(): void;
  /** Breaks the line without a goodbye, and says from where to go on; null: the server keeps nothing for us. */
  cut(): Recovery | null;
}

const PATH = "/socket.io/?EIO=4&transport=websocket";

/** Splits `<digits><rest>`: the number of an acknowledgement stands before the JSON text, when there is one. */
function numbered(text: string): { readonly id: number | null; readonly json: string } {
  let end = 0;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return { id: end === 0 ? null : Number(text.slice(0, end)), json: text.slice(end) };
}

export function openSocketIo(options: SocketIoOptions): SocketIoLine {
  const decoder = new TextDecoder();
  const waiting = new Map<number, (body: unknown) => void>();
  let lastAck = 0;
  let pid: string | null = null;
  let offset: string | null = options.recovery?.offset ?? null;
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    options.onClose(reason);
  };
  function packet(text: string, socket: RawSocket): void {
    switch (text.charCodeAt(0) - 48) {
      case 0: {
        pid = (JSON.parse(text.slice(1)) as { readonly pid?: string }).pid ?? null;
        options.onConnect(options.recovery !== null && pid === options.recovery.pid);
        return;
      }
      case 1:
        socket.close();
        end("the server ended it");
        return;
      case 2: {
        const items = JSON.parse(numbered(text.slice(1)).json) as unknown[];
        // With recovery the server puts the packet's own offset behind the arguments.
        const last = items.at(-1);
        if (items.length > 2 && typeof last === "string") offset = last;
        options.onEvent(String(items[0]), items[1]);
        return;
      }
      case 3: {
        const { id, json } = numbered(text.slice(1));
        const answered = id === null ? undefined : waiting.get(id);
        if (id !== null) waiting.delete(id);
        answered?.((JSON.parse(json) as unknown[])[0]);
        return;
      }
      case 4:
        socket.close();
        end(text.slice(1));
        return;
      default:
    }
  }
  const socket = openRawSocket({
    host: options.host,
    port: options.port,
    path: PATH,
    subprotocol: null,
    onOpen: () => undefined,
    onMessage(payload, raw) {
      const text = decoder.decode(payload);
      switch (text.charCodeAt(0) - 48) {
        case 0: {
          const { recovery, auth } = options;
          const resume = recovery === null ? {} : { pid: recovery.pid, ...(offset === null ? {} : { offset }) };
          raw.send(`40${JSON.stringify({ ...resume, ...auth })}`);
          return;
        }
        case 1:
          raw.close();
          return;
        case 2:
          raw.send("3");
          return;
        case 4:
          packet(text.slice(1), raw);
          return;
        default:
      }
    },
    onClose: (code) => end(`closed with ${code}`),
  });
  return {
    emit(name, body, answered) {
      const id = answered === undefined ? "" : String(++lastAck);
      if (answered !== undefined) waiting.set(lastAck, answered);
      socket.send(`42${id}${JSON.stringify([name, body])}`);
    },
    close: () => socket.close(),
    cut() {
      over = true;
      socket.cut();
      // Cut before the server said who we are: it may have sent some of what was missed already.
      const known = pid ?? options.recovery?.pid ?? null;
      return known === null ? null : { pid: known, offset };
    },
  };
}
