/**
 * A restaurant: its tablet and its kitchen.
 *
 * Owns: answering every order that the inbox brings, cooking it, saying when it is ready. Does not own the menu (the run
 * configures it). Invariants: an order is accepted once, whatever the inbox repeats; an order that ended is not cooked on.
 */
import { type Client, type InboxSnapshot, kitchen, type TabletEvent } from "../../../sdk/node.js";
import { pick, type Random } from "../../../src/lib/random.js";
import { isTerminal } from "../../../src/protocol/mod.js";
import { chance, clamp, cookingMinutes, logNormal } from "../../city/mod.js";
import { numberOfNote, type PlannedRestaurant } from "../plan.js";
import { type AgentContext, codeOf, connect, isTemporary, pause } from "./context.js";

const MINUTE_MS = 60_000;
const RETRY_PAUSE_MS = 500;
const COME_BACK_CITY_MS = 60_000;
const REASONS = ["kitchen too busy", "an ingredient is missing", "closing early"];

export interface RestaurantOptions {
  readonly plan: PlannedRestaurant;
  readonly random: Random;
  /** When the food of a planned order stands on the counter; null leaves it to the kitchen. */
  readonly readyAtCityMs: (orderNumber: number) => number | null;
}

type Entry = InboxSnapshot["orders"][number];

export class RestaurantAgent {
  readonly #context: AgentContext;
  readonly #options: RestaurantOptions;
  readonly #client: Client;
  /** Orders in hand. An order leaves the set when it is ready or over, and is not taken up again. */
  readonly #cooking = new Set<string>();
  readonly #over = new Set<string>();
  #comingBack = false;

  constructor(context: AgentContext, options: RestaurantOptions) {
    this.#context = context;
    this.#options = options;
    this.#client = connect(context, options.plan.id, options.random);
  }

  start(): void {
    const { clock, recorder, ended } = this.#context;
    const { id } = this.#options.plan;
    const stream = `restaurant:${id}`;
    this.#client.subscribe(stream, {
      subscribed: (start) => recorder.subscribed(stream, start, clock.now()),
      event: ({ type, body, offset }) => {
        recorder.event(stream, offset, clock.now());
        this.#event({ type, body } as unknown as TabletEvent);
      },
      state: ({ body }) => {
        const { orders, doors } = body as unknown as InboxSnapshot;
        for (const entry of orders) this.#take(entry, 1, entry.status);
        if (doors?.paused !== undefined) void this.#comeBack();
      },
    });
    this.#client.connect();
    void this.#bake();
    ended.addEventListener("abort", () => this.#client.close(), { once: true });
  }

  #event(event: TabletEvent): void {
    switch (event.type) {
      case "order.new":
        this.#take(event.body, event.body.attempt, "confirmed");
        return;
      case "order.changed":
        if (isTerminal(event.body.status)) this.#over.add(event.body.orderId);
        return;
      case "doors.changed":
        if (event.body.paused !== undefined) void this.#comeBack();
        return;
      case "order.alerted":
      case "driver.assigned":
        return;
    }
  }

  /** Somebody sees that the node has paused the restaurant, because nobody answered, and says that they are there. */
  async #comeBack(): Promise<void> {
    if (this.#comingBack) return;
    this.#comingBack = true;
    await this.#wait(COME_BACK_CITY_MS);
    // Refused or unanswered: the next word of the doors brings somebody again.
    if (!this.#context.ended.aborted) await this.#client.command("restaurant.resume", {}).catch(() => {});
    this.#comingBack = false;
  }

  #take(entry: Omit<Entry, "status">, attempt: number, status: Entry["status"]): void {
    const { clock, recorder } = this.#context;
    recorder.tablet(this.#options.plan.id, { orderId: entry.orderId, attempt, receivedAt: clock.now() });
    if (this.#cooking.has(entry.orderId) || this.#over.has(entry.orderId) || isTerminal(status)) return;
    if (status === "ready" || status === "picked_up") return;
    this.#cooking.add(entry.orderId);
    void this.#cook(entry, status).finally(() => {
      this.#cooking.delete(entry.orderId);
      this.#over.add(entry.orderId);
    });
  }

  async #cook(entry: Omit<Entry, "status">, status: Entry["status"]): Promise<void> {
    const { plan, random, readyAtCityMs } = this.#options;
    const { time } = this.#context;
    const tablet = kitchen(this.#client);
    const { orderId } = entry;
    const number = numberOfNote(entry.note);
    const given = number === null ? null : readyAtCityMs(number);
    const menuMinutes = Math.max(
      1,
      ...entry.lines.map((line) => plan.profile.items.find((item) => item.itemId === line.itemId)?.prepMinutes ?? 12),
    );
    const cooked = cookingMinutes(random, plan.kitchen, menuMinutes, this.#cooking.size - 1);
    const touchSeconds = clamp(logNormal(random, plan.kitchen.acceptSeconds, 0.4), 2, 240);
    const rejects = chance(random, plan.kitchen.rejectChance) && given === null;
    if (status === "confirmed") {
      await this.#wait(touchSeconds * 1000);
      if (rejects) {
        await this.#until(orderId, () => tablet.reject(orderId, pick(random, REASONS)));
        return;
      }
      const remaining = given === null ? cooked.promised : (given - time.nowCityMs()) / MINUTE_MS;
      const prepMinutes = Math.round(clamp(remaining, 1, 240) * 10) / 10;
      if (!(await this.#until(orderId, () => tablet.accept(orderId, prepMinutes)))) return;
    }
    const readyAt = given ?? time.nowCityMs() + cooked.actual * MINUTE_MS;
    if (plan.saysPreparing && status !== "preparing") {
      await this.#wait(Math.min(30_000, (readyAt - time.nowCityMs()) / 3));
      // The node may have moved on by itself: no matter.
      await this.#until(orderId, () => tablet.preparing(orderId));
    }
    await this.#wait(readyAt - time.nowCityMs());
    await this.#until(orderId, () => tablet.ready(orderId));
    this.#context.counters.putOut(orderId);
  }

  /** Tells the node how many there are again, time after time. */
  async #bake(): Promise<void> {
    const { plan } = this.#options;
    const { ended } = this.#context;
    if (plan.bakesEveryCityMs === undefined) return;
    for (;;) {
      await this.#wait(plan.bakesEveryCityMs);
      if (ended.aborted) return;
      for (const { itemId, stock } of plan.profile.items) {
        if (stock === undefined) continue;
        // Next time will do as well.
        await this.#client.command("restaurant.item", { itemId, stock }).catch(() => {});
      }
    }
  }

  #wait(cityMs: number): Promise<void> {
    return pause(this.#context.clock, Math.max(0, this.#context.time.wallMs(cityMs)), this.#context.ended);
  }

  /** Tries until there is a final answer. False: refused, or over. */
  async #until(orderId: string, attempt: () => Promise<unknown>): Promise<boolean> {
    while (!this.#context.ended.aborted && !this.#over.has(orderId)) {
      try {
        await attempt();
        return true;
      } catch (error) {
        if (!isTemporary(error) && codeOf(error) !== "expired") return false;
        await pause(this.#context.clock, RETRY_PAUSE_MS, this.#context.ended);
      }
    }
    return false;
  }
}
