/**
 * A zone's model of arrivals: kept as it was when last written down, and in memory as it is.
 *
 * Invariant: what is kept is never newer than what is in memory; a crash loses at most what was learned since.
 */
import { newZoneModel, type ZoneModel } from "../../../eta/mod.js";

export interface EtaModelState {
  /** Null until something was written down. */
  readonly model: ZoneModel | null;
}

export interface EtaModelMemory {
  /** Null until first used. */
  model: ZoneModel | null;
  /** When it was written down last; 0: not by this activation. */
  keptAt: number;
}

export const initialEtaModel = (): EtaModelState => ({ model: null });
export const emptyEtaMemory = (): EtaModelMemory => ({ model: null, keptAt: 0 });

export function modelOf(state: EtaModelState, memory: EtaModelMemory): ZoneModel {
  memory.model ??= state.model ?? newZoneModel();
  return memory.model;
}
