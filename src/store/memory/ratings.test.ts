import t from "tap";
import { ratingsContract } from "../contract/ratings.contract.js";
import { createMemoryRatings } from "./mod.js";

t.test("ratings in memory keep the contract", (t) => ratingsContract(t, async () => createMemoryRatings()));
