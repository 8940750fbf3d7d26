/** Something a person started: under way once at a time, its failure told. */
import { useSignal } from "@preact/signals";
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
