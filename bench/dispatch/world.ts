/** What the simulation does not let a policy know: when food is really ready, and how couriers answer. */
import type { Random } from "../../src/lib/random.js";
import type { Instance, InstanceOrder } from "./instance.js";

export interface World {
  /** Minutes between two decisions. */
  readonly stepMin: number;
  readonly lateGuessMin: number;
  readyAt(order: InstanceOrder): number;
  /** Called once for each offer. */
  answer(courier: string): { readonly accepted: boolean; readonly afterMin: number };
}

/** Every word holds: food is ready when it was said, and couriers go at once. The instances' own rules. */
export function calmWorld(): World {
  return {
    stepMin: 1,
    lateGuessMin: 0,
    readyAt: ({ ready }) => ready,
    answer: () => ({ accepted: true, afterMin: 0 }),
  };
}

const OFFER_SECONDS = 45;

/**
 * Preparation times scatter about what was said (log-normal, median 1, sigma 0.3); each courier accepts with a probability
 * of their own, drawn from 0.4…1, after 5…40 s; half of those who do not accept let the offer run out after 45 s.
 * Decisions every 15 s.
 */
export function noisyWorld(instance: Instance, random: Random): World {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const readyAt = new Map(
    instance.orders.map(({ id, placement, ready }) => [
      id,
      placement + Math.max(0, ready - placement) * Math.exp(0.3 * normal()),
    ]),
  );
  const accepts = new Map(instance.couriers.map(({ id }) => [id, 0.4 + 0.6 * random.next()]));
  return {
    stepMin: 0.25,
    lateGuessMin: 2,
    readyAt: ({ id }) => readyAt.get(id)!,
    answer(courier) {
      const accepted = random.next() < accepts.get(courier)!;
      const seconds = 5 + 35 * random.next();
      const runsOut = !accepted && random.next() < 0.5;
      return { accepted, afterMin: (runsOut ? OFFER_SECONDS : seconds) / 60 };
    },
  };
}

/** The instance as it really went, to judge a noisy run by. */
export function asItWent(instance: Instance, world: World): Instance {
  return { ...instance, orders: instance.orders.map((order) => ({ ...order, ready: world.readyAt(order) })) };
}
