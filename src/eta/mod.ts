/** How long it takes: learned figures, the arithmetic of an arrival, and the range around it. Pure; imports nothing. */
export {
  type ArrivalRange,
  approachMs,
  arrivalRange,
  logError,
  type Outlook,
  type Progress,
  type RoadLeft,
  remainingMs,
  type Situation,
  STAGES,
  type Stage,
  wayFactor,
  type ZonePicture,
} from "./expect.js";
export { type CityCalendar, type CityHour, cityHour } from "./hours.js";
export {
  acceptMs,
  blended,
  learnAcceptance,
  learnPreparation,
  newPreparation,
  type PreparationRecord,
  type PreparationSample,
  preparationMs,
  promiseTrust,
} from "./preparation.js";
export { type RangeShape, TAIL } from "./residuals.js";
export {
  learnOutcome,
  newZoneModel,
  type Outcome,
  pictureOf,
  type StageOutcome,
  type ZoneDefaults,
  type ZoneModel,
} from "./zone-model.js";
