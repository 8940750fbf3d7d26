/**
 * How orders ended. A zone may stop telling of an order before its last status was seen here; then the order itself is
 * asked, a few at a time.
 */
import {
  type CityOrder,
  type Client,
  isTerminal,
  type OrderStatus,
  type OrderView,
  SwiftEatsError,
} from "../../../sdk/mod.js";

const MAX_ASKED_AT_ONCE = 4;
const MAX_WAITING = 500;
const MAX_REMEMBERED = 20_000;

export class Outcomes {
  readonly #client: Client;
  readonly #ended: (order: CityOrder, status: OrderStatus) => void;
  /** Orders whose end was told, so that none counts twice. */
  readonly #told = new Set<string>();
  readonly #waiting: CityOrder[] = [];
  #asking = 0;

  constructor(client: Client, ended: (order: CityOrder, status: OrderStatus) => void) {
    this.#client = client;
    this.#ended = ended;
  }

  known(order: CityOrder, status: OrderStatus): void {
    if (!isTerminal(status) || this.#told.has(order.id)) return;
    this.#told.add(order.id);
    if (this.#told.size > MAX_REMEMBERED) this.#told.delete(this.#told.values().next().value as string);
    this.#ended(order, status);
  }

  left(order: CityOrder): void {
    if (this.#told.has(order.id) || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(order);
    this.#ask();
  }

  #ask(): void {
    while (this.#asking < MAX_ASKED_AT_ONCE && this.#waiting.length > 0) {
      const order = this.#waiting.shift()!;
      this.#asking += 1;
      this.#client.http.order(order.id).then(
        (view: OrderView) => {
          this.#asking -= 1;
          this.known(order, view.status);
          this.#ask();
        },
        (error: unknown) => {
          this.#asking -= 1;
          // One that cannot be asked now is asked with the next that leaves; one that is gone from the records never.
          if (error instanceof SwiftEatsError && error.temporary) this.#waiting.push(order);
          else this.#ask();
        },
      );
    }
  }
}
