/** Short messages at the top, over an open sheet too, spoken by screen readers, gone by themselves. */
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
/** The sheets that are open, the topmost last: what lies outside of it is neither seen nor spoken. */
export const sheets = signal<readonly string[]>([]);

export function say(text: string, tone: Toast["tone"] = "plain"): void {
  toastNumber += 1;
  const number = toastNumber;
  toasts.value = [...toasts.value, { number, text, tone }].slice(-MOST);
  clock.after(SHOWN_MS, () => {
    toasts.value = toasts.value.filter((toast) => toast.number !== number);
  });
}

export const sayFailure = (error: unknown): void => say(failureText(error), "bad");

/** On the page, and in every sheet; what is to be said appears in the topmost. */
export function Toasts({ sheet }: { readonly sheet?: string }) {
  const shown = sheets.value.at(-1) === sheet ? toasts.value : [];
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ number, text, tone }) => (
        <div key={number} class={`toast ${tone}`}>
          {text}
        </div>
      ))}
    </div>
  );
}
