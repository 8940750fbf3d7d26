import t from "tap";
import { at, createCity, must, restaurant } from "../fixtures/city.js";
import { defaultDomainSettings as day, solveQuestion } from "../mod.js";

const settings = { ...day, zone: { ...day.zone, dispatch: "horizon" } } as const;

t.test(
  "R-DSP-1, R-DSP-2: its time comes and the order is offered, though nobody says anything meanwhile",
  async (t) => {
    let questions = 0;
    const city = createCity({
      settings,
      decisions: {
        solve: async (question) => {
          questions++;
          return solveQuestion(question);
        },
      },
    });
    await city.openRestaurant("r");
    await must(city.place("o"));
    await city.reach("o", "confirmed");
    await city.goOnline("d", at(100));
    // Cooked in two minutes; most of them go to the way, the counter and the driver's answer.
    await must(city.order("o", "accept", { orderId: "o", prepMinutes: 2 }, restaurant("r")));
    await city.kit.advance(2_000);
    t.equal((await city.state("o")).delivery.status, "searching", "planned, and not yet offered");
    const asked = questions;
    t.ok(asked > 0);
    await city.kit.advance(27_000);
    t.equal((await city.state("o")).delivery.status, "offered");
    t.ok(questions > asked, "the zone was rung, and asked again");
    const kept = city.kit.store.committed.filter(({ kind }) => kind === "dispatch-matcher");
    t.same(kept, [], "questions, answers and rings cost no commit");
    t.same(city.kit.logs, []);
    await city.kit.close();
  },
);
