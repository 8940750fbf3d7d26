/**
 * RULES 13 and 5, by the actors' own words: what an order offered until when, when the driver's actor took it, and to whom
 * the order gave it. Clients see less: a phone does not know when its answer arrived.
 */
import { decode } from "../../../src/lib/msgpack.js";
import type { Violation } from "../../checkers/mod.js";
import type { VirtualEvidence } from "../ports.js";
import { skewOf } from "./completed.js";

interface Offer {
  readonly orderId: string;
  readonly driverId: string;
  readonly expiresAt: number;
  readonly told: string[];
  acceptedAt: number | null;
  /** Declined, expired or withdrawn, before it was accepted. */
  over: string | null;
  winner: string | null;
}

export function lateOffers(found: VirtualEvidence): readonly Violation[] {
  const offers = new Map<string, Offer>();
  const violations: Violation[] = [];
  const skewMs = skewOf(found);
  const broken = (rule: string, offerId: string, offer: Offer, problem: string): void => {
    const { orderId, driverId, told } = offer;
    const summary = `offer ${offerId} of order ${orderId} to ${driverId} ${problem}`;
    violations.push({ rule, subject: orderId, summary, story: told });
  };
  for (const { at, life, write } of found.commits) {
    for (const { to, name, input } of write.tells) {
      if (!NAMES.has(name)) continue;
      const said = decode<Said>(input);
      const offerId = said.offer?.offerId ?? said.offerId ?? "";
      const line = `${stamp(at)} ${life}: ${write.kind}/${write.key} commits ${name} ${offerId} → ${to.kind}/${to.key}`;
      if (name === "offer" && said.offer !== undefined) {
        const { expiresAt } = said.offer;
        const told = [`${line}, until ${stamp(expiresAt)}`];
        const driverId = to.key;
        offers.set(offerId, {
          orderId: write.key,
          driverId,
          expiresAt,
          told,
          acceptedAt: null,
          over: null,
          winner: null,
        });
        continue;
      }
      const offer = offers.get(offerId);
      if (offer === undefined) continue;
      offer.told.push(line);
      switch (name) {
        case "offerDeclined":
          if (offer.acceptedAt === null) offer.over = `declined (${said.reason ?? ""})`;
          break;
        case "claim":
          offer.acceptedAt = said.acceptedAt ?? null;
          break;
        case "claimWon": {
          const late = (offer.acceptedAt ?? 0) - offer.expiresAt;
          const rule = "rule-13-no-late-acceptance";
          if (late > skewMs)
            broken(rule, offerId, offer, `was accepted ${Math.round(late)} ms after it expired, and won`);
          else if (offer.over !== null) broken(rule, offerId, offer, `was ${offer.over} and won all the same`);
          if (offer.winner !== null && offer.winner !== to.key) {
            broken("rule-05-one-winner", offerId, offer, `was won by ${offer.winner} and by ${to.key}`);
          }
          offer.winner = to.key;
          break;
        }
      }
    }
  }
  return violations;
}

/** What is read of these messages. */
interface Said {
  readonly offer?: { readonly offerId: string; readonly expiresAt: number };
  readonly offerId?: string;
  readonly acceptedAt?: number;
  readonly reason?: string;
}

const NAMES: ReadonlySet<string> = new Set(["offer", "offerDeclined", "claim", "claimWon"]);

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);
