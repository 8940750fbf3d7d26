/** Short messages at the bottom, spoken by screen readers too, gone by themselves. */
import { signal } from "@preact/signals";
import { clock } from "../clock.js";
import { failureText } from "../words.js";

interface Toast {
  readonly number: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
}

const SHOWN_MS = 5_000;
const MOST = 3;
const toasts = signal<readonly Toast[]>([]);
let toastNumber = 0;

export function say(text: string, tone: Toast["tone"] = "plain"): void {
  toastNumber += 1;
  const number = toastNumber;
  toasts.value = [...toasts.value, { number, text, tone }].slice(-MOST);
  clock.after(SHOWN_MS, () => {
    toasts.value = toasts.value.filter((toast) => toast.number !== number);
  });
}

export const sayFailure = (error: unknown): void => say(failureText(error), "bad");

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ number, text, tone }) => (
        <div key={number} class={`toast ${tone}`}>
          {text}
        </div>
      ))}
    </div>
  );
}
