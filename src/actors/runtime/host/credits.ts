/**
 * Admission by credit: every peer may have `window` asks in flight here. Credit returns as asks are answered, in
 * portions, so that a peer never waits for it while it keeps within its window.
 */
import type { EndpointId } from "../link.js";

interface Peer {
  inFlight: number;
  owed: number;
}

export class Credits {
  readonly #window: number;
  readonly #grant: (peer: EndpointId, count: number) => void;
  readonly #peers = new Map<EndpointId, Peer>();

  constructor(window: number, grant: (peer: EndpointId, count: number) => void) {
    this.#window = window;
    this.#grant = grant;
  }

  peerUp(peer: EndpointId): void {
    this.#peers.set(peer, { inFlight: 0, owed: 0 });
    this.#grant(peer, this.#window);
  }

  peerDown(peer: EndpointId): void {
    this.#peers.delete(peer);
  }

  /** Counts an ask in; false when the peer has used more than it was given. */
  take(peer: EndpointId): boolean {
    let known = this.#peers.get(peer);
    if (known === undefined) {
      known = { inFlight: 0, owed: 0 };
      this.#peers.set(peer, known);
    }
    known.inFlight++;
    return known.inFlight <= this.#window;
  }

  /** An ask of this peer was answered. */
  giveBack(peer: EndpointId): void {
    const known = this.#peers.get(peer);
    if (known === undefined) return;
    if (known.inFlight > 0) known.inFlight--;
    known.owed++;
    // Whoever is owed less than a quarter has three quarters left: a message of its own would only tell them so.
    if (known.owed * 4 < this.#window) return;
    this.#grant(peer, known.owed);
    known.owed = 0;
  }
}
