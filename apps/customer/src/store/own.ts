/**
 * What the device keeps for one person: for who is signed in, or for nobody yet.
 *
 * Invariants: nobody finds what another person has left; what was put together before signing in comes along; windows of
 * one person hold the same.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { account, whenLeaving } from "../../../shared/account/session.js";

export interface Own<T> {
  readonly value: Signal<T | null>;
  keep(next: T | null): void;
}

/** `read`: what may be there, made sure of. `leaves`: whether it goes when its person signs out. */
export function own<T>(
  name: string,
  read: (stored: unknown) => T | null,
  leaves: (value: T) => boolean = () => true,
): Own<T> {
  const value = signal<T | null>(null);
  const keyOf = (accountId: string | undefined): string => (accountId === undefined ? name : `${name}.${accountId}`);
  const key = (): string => keyOf(account.peek()?.accountId);
  const load = (at: string): T | null => {
    try {
      return read(JSON.parse(localStorage.getItem(at) ?? "null"));
    } catch {
      return null;
    }
  };
  const write = (at: string, next: T | null): void => {
    try {
      if (next === null) localStorage.removeItem(at);
      else localStorage.setItem(at, JSON.stringify(next));
    } catch {
      // Lasts as long as the page then.
    }
  };
  const keep = (next: T | null): void => {
    value.value = next;
    write(key(), next);
  };
  effect(() => {
    const at = keyOf(account.value?.accountId);
    const brought = at === name ? null : (load(name) ?? value.peek());
    const theirs = load(at);
    if (brought === null || (theirs !== null && !leaves(theirs))) value.value = theirs ?? brought;
    else keep(brought);
    if (at !== name) write(name, null);
  });
  window.addEventListener("storage", (event) => {
    if (event.key === key()) value.value = load(key());
  });
  whenLeaving(() => {
    if (value.peek() !== null && leaves(value.peek()!)) keep(null);
  });
  return { value, keep };
}
