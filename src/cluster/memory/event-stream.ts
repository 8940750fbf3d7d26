/** The stream's twin in memory: remembers for ever what it stored, in the order of storing. */
import type { EventStream, OutboxEvent } from "../ports.js";

export interface MemoryEventStream extends EventStream {
  /** In the order in which they were stored, each once. */
  readonly events: readonly OutboxEvent[];
  /** Whether an event was stored. */
  has(event: { readonly kind: string; readonly key: string; readonly offset: number }): boolean;
  /** For tests: whether `available` is true. Publishing to a stream that is away fails. */
  available: boolean;
}

export function createMemoryEventStream(): MemoryEventStream {
  const events: OutboxEvent[] = [];
  const ids = new Set<string>();
  const idOf = ({ kind, key, offset }: { kind: string; key: string; offset: number }) => `${kind}\0${key}\0${offset}`;
  const stream: MemoryEventStream = {
    events,
    available: true,
    has: (event) => ids.has(idOf(event)),
    async publish(event) {
      if (!stream.available) throw new Error("The stream in memory is away.");
      if (ids.has(idOf(event))) return;
      ids.add(idOf(event));
      events.push({ ...event, body: event.body.slice() });
    },
    async close() {
      stream.available = false;
    },
  };
  return stream;
}
