/** The client for Node: the same, with `ws` as its WebSocket, which Node 20 lacks. */
import WebSocket from "ws";
import { type Client, type ClientOptions, createClient as createAnyClient } from "./client.js";
import type { SocketConstructor } from "./ports.js";

export { openFileStorage } from "./file-storage.js";
export * from "./mod.js";

/** Compression costs more processor and memory than these small frames are worth. */
export class NodeSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false, maxPayload: 4 * 1024 * 1024, skipUTF8Validation: true });
  }
}

export function createClient(options: ClientOptions): Client {
  return createAnyClient({ WebSocket: NodeSocket as unknown as SocketConstructor, ...options });
}
