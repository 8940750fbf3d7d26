/** A seeded model of a city: pure, the same everywhere. The live simulator and the deterministic one share it. */
export { addressOf, type City, type CityOptions, createCity } from "./city.js";
export { demandAt, fillBasket, nextOrderAt } from "./demand.js";
export { between, chance, clamp, exponential, logNormal, normal, weighted } from "./draw.js";
export { cityGeoJson, type Feature, type FeatureCollection } from "./geojson.js";
export { cookingMinutes, createKitchen, createRestaurant, type Kitchen, type Restaurant } from "./kitchens.js";
export {
  answerOffer,
  type CustomerPerson,
  createDriver,
  createHabits,
  type DriverHabits,
  type DriverPerson,
  isVehicle,
  type OfferAnswer,
  personName,
  VEHICLE_SPEED,
  type Vehicle,
} from "./people.js";
export {
  measuredFix,
  type Place,
  placeAlong,
  type Roads,
  type Route,
  round6,
  straightRoads,
  streetRoads,
} from "./roads.js";
export { createStreets, type Ground, type Street, type StreetEdge, type StreetNetwork } from "./streets.js";
