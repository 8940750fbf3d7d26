/**
 * RULES 1 and 4, at the output gate: nothing that an order says leaves before its commit. The database's clock and the
 * people's are the world's, so what a client has seen cannot be older than the commit that it tells of.
 */
import { decode } from "../../../src/lib/msgpack.js";
import { acknowledgement, type Violation } from "../../checkers/mod.js";
import type { VirtualEvidence } from "../ports.js";

const RULE = "rule-01-said-after-commit";

/** When each revision of an order was committed, oldest first. Several may have come with one commit. */
interface Revision {
  readonly revision: number;
  readonly at: number;
}

export function saidBeforeCommit({ commits, evidence }: VirtualEvidence): readonly Violation[] {
  const revisions = new Map<string, Revision[]>();
  for (const { at, write } of commits) {
    if (write.kind !== "order") continue;
    const revision = decode<{ readonly revision?: number } | null>(write.state)?.revision;
    if (revision === undefined) continue;
    const list = revisions.get(write.key);
    if (list === undefined) revisions.set(write.key, [{ revision, at }]);
    else list.push({ revision, at });
  }
  const found: Violation[] = [];
  const check = (orderId: string, version: number, receivedAt: number, what: string): void => {
    const committed = revisions.get(orderId)?.find(({ revision }) => revision >= version);
    // Never committed at all is for the rules that compare with the end.
    if (committed === undefined || committed.at <= receivedAt) return;
    found.push({
      rule: RULE,
      subject: orderId,
      summary: `order ${orderId}: ${what} version ${version} ${Math.round(committed.at - receivedAt)} ms before its commit`,
      story: [
        `${stamp(receivedAt)} ${what} version ${version}`,
        `${stamp(committed.at)} version ${version} is committed`,
      ],
    });
  };
  for (const placement of evidence.history.placements) {
    const answer = acknowledgement(placement);
    if (answer === null) continue;
    check(answer.orderId, answer.version, answer.receivedAt, `${placement.customerId} is answered`);
  }
  for (const { orderId, sightings } of evidence.history.orders) {
    for (const { stream, version, receivedAt } of sightings) check(orderId, version, receivedAt, `${stream} sees`);
  }
  return found;
}

/** RULES 4: what is another's by the database is nobody's word any more. */
export function saidAfterOwning({ lateWords }: VirtualEvidence): readonly Violation[] {
  return lateWords.map(({ at, life, of, what, to, owner }) => ({
    rule: "rule-04-no-word-after-owning",
    subject: of,
    summary: `${life} sent a ${what} of ${of} when it was ${owner}'s`,
    story: [`${stamp(at)} ${life} sends a ${what} of ${of} → ${to}; by the database it is ${owner}'s`],
  }));
}

const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23);
