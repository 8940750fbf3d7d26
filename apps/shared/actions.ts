/** Something a person started: under way once at a time, its failure told. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { uuidV7 } from "../../src/lib/random.js";
import { clock, random } from "./clock.js";
import { sayFailure } from "./kit/toasts.js";

export interface Action<A extends readonly unknown[]> {
  readonly busy: boolean;
  run(...values: A): Promise<void>;
}

export function useAction<A extends readonly unknown[]>(
  work: (...values: A) => Promise<void>,
  failed: (error: unknown) => void = sayFailure,
): Action<A> {
  const busy = useSignal(false);
  return {
    get busy() {
      return busy.value;
    },
    async run(...values) {
      if (busy.peek()) return;
      busy.value = true;
      try {
        await work(...values);
      } catch (error) {
        failed(error);
      } finally {
        busy.value = false;
      }
    },
  };
}

/**
 * A write that a form makes: what it was first asked for with the same details stays one write, under one key, however
 * often its button is pressed. A form that is opened again begins anew.
 */
export function useOneWrite<T>(): (details: string, make: () => T) => { readonly key: string; readonly body: T } {
  const made = useRef(new Map<string, { readonly key: string; readonly body: T }>());
  return (details, make) => {
    const known = made.current.get(details);
    if (known !== undefined) return known;
    const write = { key: uuidV7(clock.now(), random), body: make() };
    made.current.set(details, write);
    return write;
  };
}
