/** What is learned of a driver: how likely an offer is accepted, how much of the shift was work. Pure. */

export interface WorkRecord {
  /** Cards that the driver answered or let pass, the older the less. */
  readonly answered: number;
  /** Of these, accepted. */
  readonly accepted: number;
  /** Time on trips in this shift, milliseconds. */
  readonly busyMs: number;
}

export const newRecord = (): WorkRecord => ({ answered: 0, accepted: 0, busyMs: 0 });

/** What one more answer leaves of the earlier ones: the last twenty make two thirds of the judgement. */
const MEMORY = 0.95;
/** What is believed of a driver nobody knows: as if ten cards had been answered and nine accepted. */
const PRIOR_ANSWERED = 10;
const PRIOR_ACCEPTED = 9;
/** A shift that has just begun says little about work: as if it had lasted this much longer. */
const SETTLING_SHARE_OF_HOUR = 0.25;

export function withAnswer(record: WorkRecord, accepted: boolean): WorkRecord {
  return {
    ...record,
    answered: record.answered * MEMORY + 1,
    accepted: record.accepted * MEMORY + (accepted ? 1 : 0),
  };
}

/** Probability that the next card is accepted, 0 < p < 1. */
export function acceptanceOf({ answered, accepted }: WorkRecord): number {
  return (accepted + PRIOR_ACCEPTED) / (answered + PRIOR_ANSWERED);
}

/** Share of a shift that was work, 0 … 1. `underWayMs`: of the present trip; `hourMs`: how long an hour lasts. */
export function busyShareOf(record: WorkRecord, underWayMs: number, onlineMs: number, hourMs: number): number {
  return Math.max(0, Math.min(1, (record.busyMs + underWayMs) / (onlineMs + SETTLING_SHARE_OF_HOUR * hourMs)));
}
