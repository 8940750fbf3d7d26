/**
 * What an agent holds in the hand, and a phone's radio. While the signal is lost, the socket in use is dead without a word and no new one can be opened: the
 * client sees what a real phone sees in a tunnel.
 */
import { type FetchLike, NodeSocket, type SocketConstructor } from "../../../sdk/node.js";
import type { Clock } from "../../../src/lib/clock.js";

export interface Device {
  readonly Socket: SocketConstructor;
  /** Absent: the platform's own. */
  readonly fetch?: FetchLike;
  /** Absent: the clock of the run. */
  readonly clock?: Clock;
  readonly lost: boolean;
  lose(): void;
  find(): void;
}

export function createRadio(): Device {
  let lost = false;
  let current: NodeSocket | null = null;
  class RadioSocket extends NodeSocket {
    constructor(url: string, protocols: string[]) {
      // Thrown before anything is opened: the client waits and tries again.
      if (lost) throw new Error("no signal");
      super(url, protocols);
      current = this;
    }
  }
  return {
    Socket: RadioSocket as unknown as SocketConstructor,
    get lost() {
      return lost;
    },
    lose() {
      lost = true;
      current?.terminate();
      current = null;
    },
    find() {
      lost = false;
    },
  };
}
