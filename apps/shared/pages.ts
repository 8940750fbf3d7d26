/** A list that comes page by page: the first when it is looked at, the next when somebody asks for more. */
import { useSignal } from "@preact/signals";
import { useCallback, useEffect } from "preact/hooks";
import { useAction } from "./actions.js";
import { useReading } from "./reading.js";

export interface Page<T, C, A> {
  readonly items: readonly T[];
  /** What the answer says of the whole list. */
  readonly about: A;
  /** What to ask the next page with; absent on the last. */
  readonly next?: C | undefined;
}

export interface Pages<T, A> {
  readonly reading: "loading" | "ready" | "failed";
  readonly items: readonly T[];
  /** Of the first page; null until it is there. */
  readonly about: A | null;
  readonly again: () => void;
  /** By itself, as long as nobody has asked for more than the first page: a list does not shrink under anybody's eyes. */
  readonly refresh: () => void;
  readonly more: {
    /** There is another page. */
    readonly more: boolean;
    readonly busy: boolean;
    /** Why the first page could not be read. */
    readonly error: unknown;
    run(): Promise<void>;
  };
}

/** Begins anew whenever one of `depends` changes; a page that belongs to another question is dropped. */
export function usePages<T, C, A>(
  read: (cursor: C | undefined, stop?: AbortSignal) => Promise<Page<T, C, A>>,
  depends: readonly unknown[],
): Pages<T, A> {
  const first = useReading((stop) => read(undefined, stop), depends);
  const later = useSignal<readonly T[]>([]);
  const next = useSignal<C | undefined>(undefined);
  const { reading } = first;
  useEffect(() => {
    later.value = [];
    next.value = reading.name === "ready" ? reading.value.next : undefined;
  }, [reading]);
  const { refresh } = first;
  const refreshFirst = useCallback(() => {
    if (later.peek().length === 0) refresh();
  }, [later, refresh]);
  const loading = useAction(async () => {
    const cursor = next.peek();
    const page = await read(cursor);
    if (next.peek() !== cursor) return;
    later.value = [...later.peek(), ...page.items];
    next.value = page.next;
  });
  return {
    reading: reading.name,
    about: reading.name === "ready" ? reading.value.about : null,
    items: reading.name === "ready" ? [...reading.value.items, ...later.value] : [],
    again: first.again,
    refresh: refreshFirst,
    more: {
      more: next.value !== undefined,
      get busy() {
        return loading.busy;
      },
      error: reading.name === "failed" ? reading.error : null,
      run: loading.run,
    },
  };
}
