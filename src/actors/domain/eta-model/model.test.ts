import t from "tap";
import { newZoneModel, type Outcome } from "../../../eta/mod.js";
import { CENTRE, createCity } from "../fixtures/city.js";
import { EtaModel, Restaurant, zoneOf } from "../mod.js";
import { emptyEtaMemory, initialEtaModel, modelOf } from "./state.js";

const MINUTE = 60_000;
const ZONE = zoneOf(CENTRE);
const ANYBODY = { id: "test", role: "system" };

const outcome = (deliveredAt: number): Outcome => ({
  deliveredAt,
  stages: [{ stage: "ready", leftMs: 10 * MINUTE, realMs: 12 * MINUTE, inRange: 0 }],
  way: { vehicle: "bicycle", anyoneMs: 5 * MINUTE, expectedMs: 8 * MINUTE, tookMs: 16 * MINUTE },
  lagMs: 6 * MINUTE,
  pickupMs: MINUTE,
  dropoffMs: 3 * MINUTE,
});

t.test(
  "R-ETA-3: a zone learns from every delivery, writes it down once a minute, and knows it after a crash",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    await city.openRestaurant("r");
    const commits = (): number => kit.store.committed.filter(({ kind }) => kind === "eta-model").length;
    for (let n = 0; n < 90; n++) {
      kit.client.cast(EtaModel, ZONE, "learn", outcome(kit.now), ANYBODY);
      await kit.advance(2_000);
    }
    t.ok(commits() >= 2 && commits() <= 3, `${commits()} commits for 90 deliveries in three minutes`);
    await kit.crash();
    await kit.restart();
    await kit.advance(5_000);
    // The restaurant asks for it when it is asked itself.
    const outlook = async () => kit.must(Restaurant, "r", "outlook", null, { caller: ANYBODY });
    t.equal((await outlook()).zone, null, "not heard yet");
    await kit.advance(2_000);
    const { zone } = await outlook();
    t.ok(Math.abs((zone?.lagMs ?? 0) / (6 * MINUTE) - 1) < 0.15, `food waits ${zone?.lagMs} ms`);
    t.ok((zone?.vehicles.bicycle ?? 0) > 1.6, `bicycles take ${zone?.vehicles.bicycle} times as long as expected`);
    t.ok((zone?.way ?? 0) > (zone?.vehicles.bicycle ?? 9), "and anybody, of whom more was expected, longer still");
    await kit.close();
  },
);

t.test("R-ETA-3: what is in memory goes before what was written down, and that before nothing", async (t) => {
  t.strictSame(modelOf(initialEtaModel(), emptyEtaMemory()), newZoneModel());
  const kept = { ...newZoneModel(), outcomes: 7 };
  const memory = emptyEtaMemory();
  t.equal(modelOf({ model: kept }, memory), kept);
  memory.model = { ...kept, outcomes: 8 };
  t.equal(modelOf({ model: kept }, memory).outcomes, 8);
});
