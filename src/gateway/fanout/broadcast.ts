/**
 * A frame on its way to many sockets: encoded at most once per codec. The bytes stay valid for as long as a slot holds
 * them, because the encoder never reuses what it has handed out.
 */
import { CODECS, type CodecName, type ServerFrame } from "../../protocol/mod.js";

export class Broadcast {
  readonly frame: ServerFrame;
  #msgpack: Uint8Array | null = null;
  #json: string | null = null;

  constructor(frame: ServerFrame) {
    this.frame = frame;
  }

  bytes(codec: CodecName): Uint8Array | string {
    if (codec === "msgpack") {
      this.#msgpack ??= CODECS.msgpack.encode(this.frame) as Uint8Array;
      return this.#msgpack;
    }
    this.#json ??= CODECS.json.encode(this.frame) as string;
    return this.#json;
  }
}

/**
 * The actor client hands one item to all its listeners in a row, so remembering the last one is enough to encode it
 * once for all sockets of a channel.
 */
export class LastBroadcast {
  #item: object | null = null;
  #channel = "";
  #broadcast: Broadcast | null = null;

  of(channel: string, item: object, build: () => ServerFrame): Broadcast {
    if (this.#broadcast !== null && this.#item === item && this.#channel === channel) return this.#broadcast;
    const broadcast = new Broadcast(build());
    this.#item = item;
    this.#channel = channel;
    this.#broadcast = broadcast;
    return broadcast;
  }
}
