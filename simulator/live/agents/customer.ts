/**
 * A customer with one order: places it, follows it to its end, sometimes changes their mind.
 *
 * Owns: placing under one idempotency key until there is an answer, following by socket, server-sent events or polls,
 * telling the recorder all that comes. Does not own when the order is due (the crew starts it a moment earlier).
 * Invariants: the key never changes; a follower leaves only after a terminal status and a while of listening on.
 */
import { type Client, customer, type PlacedReply } from "../../../sdk/node.js";
import { type Random, uuidV7 } from "../../../src/lib/random.js";
import { isTerminal, type OrderView, type PositionView, type TrackedOrder } from "../../../src/protocol/mod.js";
import type { Via } from "../../checkers/mod.js";
import type { PlannedOrder } from "../plan.js";
import { type AgentContext, COMMAND_TTL_MS, codeOf, connect, isTemporary, pause } from "./context.js";
import { type Talk, talk } from "./talk.js";

/** How long a socket stays after the end, to see that no position follows. */
const LISTEN_ON_MS = 1_500;
const RETRY_PAUSE_MS = 500;
const LOOK_AGAIN_MS = 2_000;

export async function runCustomer(context: AgentContext, plan: PlannedOrder, random: Random): Promise<void> {
  await new CustomerAgent(context, plan, random).run();
}

class CustomerAgent {
  readonly #context: AgentContext;
  readonly #plan: PlannedOrder;
  readonly #client: Client;
  readonly #key: string;
  readonly #stream: string;
  #talk: Talk | null = null;
  #confirmedSeen = false;
  #intendedAt = 0;

  constructor(context: AgentContext, plan: PlannedOrder, random: Random) {
    this.#context = context;
    this.#plan = plan;
    this.#client = connect(context, plan.customerId, random);
    this.#key = uuidV7(context.clock.now(), random);
    this.#stream = `${plan.customerId}/${plan.number}`;
  }

  async run(): Promise<void> {
    const { clock, time, ended, meter } = this.#context;
    const client = this.#client;
    try {
      if (this.#plan.followBy === "socket") client.connect();
      await pause(clock, time.untilWallMs(this.#plan.placeAtCityMs), ended);
      if (ended.aborted) return;
      this.#intendedAt = time.wallAt(this.#plan.placeAtCityMs);
      meter.counts.intended++;
      this.#context.recorder.placed(this.#key, this.#plan.customerId, this.#plan.order, this.#intendedAt);
      const placed = await this.#placeUntilAnswered();
      if (placed === null) {
        // Refused, or given up: nobody waits for this order any more.
        if (!ended.aborted) meter.counts.finished++;
        return;
      }
      meter.counts.acknowledged++;
      const status = await this.#follow(placed.orderId);
      if (status === null) return;
      if (status === "delivered") meter.counts.delivered++;
      else if (status === "cancelled") meter.counts.cancelled++;
      else if (status === "rejected") meter.counts.rejected++;
      else meter.counts.undelivered++;
      meter.counts.finished++;
    } finally {
      this.#talk?.stop();
      client.close();
    }
  }

  async #placeUntilAnswered(): Promise<PlacedReply | null> {
    const { clock, ended, meter } = this.#context;
    const untilMs = clock.monotonic() + COMMAND_TTL_MS;
    for (;;) {
      // Someone impatient taps twice, and the second tap takes another way.
      const second = this.#plan.impatient ? this.#placeOnce("events") : null;
      const first = await this.#placeOnce(this.#plan.followBy);
      const other = await second;
      const reply = first ?? other;
      if (reply === "refused") {
        meter.counts.refused++;
        return null;
      }
      if (reply !== null) return reply;
      if (ended.aborted || clock.monotonic() > untilMs) return null;
      await pause(clock, RETRY_PAUSE_MS, ended);
    }
  }

  /** Null: no final answer yet. Every answer is told to the recorder. */
  async #placeOnce(door: PlannedOrder["followBy"]): Promise<PlacedReply | "refused" | null> {
    const { clock, recorder, ended } = this.#context;
    const options = { idempotencyKey: this.#key, signal: ended };
    try {
      const reply =
        door === "socket"
          ? await customer(this.#client).place(this.#plan.order, options)
          : await this.#client.http.placeOrder(this.#plan.order, options);
      const { orderId, status, version, totals } = reply;
      recorder.answered(this.#key, { ok: true, receivedAt: clock.now(), orderId, status, version, totals });
      return reply;
    } catch (error) {
      const code = codeOf(error);
      if (code === "closed" || code === "aborted") return null;
      const temporary = isTemporary(error) || code === "expired";
      recorder.answered(this.#key, { ok: false, receivedAt: clock.now(), code, temporary });
      return temporary ? null : "refused";
    }
  }

  /** The status it ended with; null when the run ended first. Whoever was refused the sight of their own order looks again. */
  async #follow(orderId: string): Promise<OrderView["status"] | null> {
    const { clock, ended } = this.#context;
    this.#mayCancel(orderId);
    for (;;) {
      const status = await this.#followOnce(orderId);
      if (status !== null || ended.aborted) return status;
      await pause(clock, LOOK_AGAIN_MS, ended);
    }
  }

  /** Null: the node will not show it on this way, or the run ended. */
  async #followOnce(orderId: string): Promise<OrderView["status"] | null> {
    switch (this.#plan.followBy) {
      case "socket":
        return this.#followBySocket(orderId);
      case "events":
        return this.#followByHttp(orderId, "events", this.#client.http.stream(orderId, this.#context.ended));
      case "poll":
        return this.#followByHttp(orderId, "poll", this.#client.http.follow(orderId, { signal: this.#context.ended }));
    }
  }

  #followBySocket(orderId: string): Promise<OrderView["status"] | null> {
    const { clock, recorder, ended } = this.#context;
    return new Promise((resolve) => {
      const finish = (status: OrderView["status"] | null): void => {
        ended.removeEventListener("abort", leave);
        resolve(status);
      };
      const leave = (): void => finish(null);
      ended.addEventListener("abort", leave);
      let over = false;
      this.#client.subscribe(`order:${orderId}`, {
        state: ({ slot, version, body }) => {
          const receivedAt = clock.now();
          recorder.slot(`${this.#stream} order:${orderId}`, slot, version, receivedAt);
          if (slot === "position") {
            if (body !== null) this.#position(orderId, "socket", body as unknown as PositionView, receivedAt);
            return;
          }
          const view = body as unknown as OrderView;
          this.#view("socket", view, receivedAt);
          if (view.status === "picked_up") this.#say(orderId);
          if (!isTerminal(view.status) || over) return;
          over = true;
          void pause(clock, LISTEN_ON_MS, ended).then(() => finish(view.status));
        },
        subscribed: ({ top, recovered }) => {
          recorder.orderSubscribed(orderId, this.#stream, top, clock.now());
          if (!recovered) recorder.forgetSlots(`${this.#stream} order:${orderId}`, ["view", "position"]);
        },
        ended: () => finish(null),
      });
    });
  }

  async #followByHttp(
    orderId: string,
    via: Via,
    source: AsyncIterable<TrackedOrder & { readonly tookMs?: number }>,
  ): Promise<OrderView["status"] | null> {
    try {
      for await (const tracked of source) {
        const receivedAt = this.#context.clock.now();
        this.#view(via, tracked.view, receivedAt);
        if (tracked.position !== undefined)
          this.#position(orderId, via, tracked.position, receivedAt, receivedAt - (tracked.tookMs ?? 0));
        if (isTerminal(tracked.view.status)) return tracked.view.status;
      }
    } catch {
      // Refused for good: what was seen so far is recorded, and the next look is a new one.
    }
    return null;
  }

  #say(orderId: string): void {
    const { words } = this.#plan;
    if (words !== undefined) this.#talk ??= talk(this.#context, this.#client, this.#stream, orderId, words);
  }

  #view(via: Via, view: OrderView, receivedAt: number): void {
    const { recorder, meter } = this.#context;
    recorder.view(this.#stream, via, view, receivedAt);
    if (this.#confirmedSeen || !view.timeline.some((entry) => entry.kind === "confirmed")) return;
    this.#confirmedSeen = true;
    meter.counts.confirmed++;
    if (via !== "poll") meter.placeToConfirmed.record(receivedAt - this.#intendedAt);
  }

  #position(orderId: string, via: Via, position: PositionView, receivedAt: number, askedAt?: number): void {
    this.#context.recorder.position(orderId, this.#stream, via, position, receivedAt, askedAt);
    this.#context.meter.counts.positionsSeen++;
  }

  #mayCancel(orderId: string): void {
    const { cancelAfterCityMs } = this.#plan;
    if (cancelAfterCityMs === null) return;
    const { clock, time, ended } = this.#context;
    void pause(clock, time.wallMs(cancelAfterCityMs), ended).then(() => {
      if (ended.aborted || this.#client.state.name === "closed") return;
      // Too late is a fine answer: the kitchen has begun.
      customer(this.#client)
        .cancel(orderId, "changed my mind")
        .catch(() => {});
      this.#client.connect();
    });
  }
}
