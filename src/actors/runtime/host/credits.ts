/**
 * Admission by credit: every peer may have `window` asks in flight here. Credit returns as asks are answered, in
 * portions, so that a peer never waits for it while it keeps within its window.
 *
 * A peer that goes and comes again is another one: what the first had asked gives the second nothing back, which begins
 * with a whole window, and whom the first had sent to listen does not listen for the second.
 */
import type { EndpointId } from "../link.js";

/** One peer from when its link comes up until it goes down. */
export interface Peer {
  readonly id: EndpointId;
  inFlight: number;
  owed: number;
  gone: boolean;
}

export class Credits {
  readonly #window: number;
  readonly #grant: (peer: EndpointId, count: number) => void;
  readonly #peers = new Map<EndpointId, Peer>();

  constructor(window: number, grant: (peer: EndpointId, count: number) => void) {
    this.#window = window;
    this.#grant = grant;
  }

  peerUp(id: EndpointId): void {
    this.peerDown(id);
    this.of(id);
    this.#grant(id, this.#window);
  }

  peerDown(id: EndpointId): void {
    const known = this.#peers.get(id);
    if (known === undefined) return;
    known.gone = true;
    this.#peers.delete(id);
  }

  of(id: EndpointId): Peer {
    let known = this.#peers.get(id);
    if (known === undefined) {
      known = { id, inFlight: 0, owed: 0, gone: false };
      this.#peers.set(id, known);
    }
    return known;
  }

  /** Counts an ask in; false when the peer has used more than it was given. */
  take(peer: Peer): boolean {
    peer.inFlight++;
    return peer.inFlight <= this.#window;
  }

  /** An ask of this peer was answered. */
  giveBack(peer: Peer | null): void {
    if (peer === null || peer.gone) return;
    if (peer.inFlight > 0) peer.inFlight--;
    peer.owed++;
    // Whoever is owed less than a quarter has three quarters left: a message of its own would only tell them so.
    if (peer.owed * 4 < this.#window) return;
    this.#grant(peer.id, peer.owed);
    peer.owed = 0;
  }
}
