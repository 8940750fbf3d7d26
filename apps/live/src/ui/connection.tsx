/** How the line to the node is, in words; spoken when it changes for the worse or the better. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock, connection } from "../store.js";

function describe(secondsLeft: number): { readonly tone: "good" | "busy" | "bad"; readonly text: string } {
  const state = connection.value;
  switch (state.name) {
    case "idle":
    case "connecting":
    case "greeting":
      return { tone: "busy", text: "Connecting" };
    case "live":
      return { tone: "good", text: "Live" };
    case "waiting":
      return { tone: "bad", text: secondsLeft > 0 ? `Offline, again in ${secondsLeft} s` : "Offline, trying again" };
    case "closed":
      return { tone: "bad", text: `Closed (${state.code})` };
  }
}

export function Connection() {
  const state = connection.value;
  const secondsLeft = useSignal(0);
  useEffect(() => {
    if (state.name !== "waiting") return;
    const until = clock.monotonic() + state.retryInMs;
    const count = (): void => {
      secondsLeft.value = Math.max(0, Math.ceil((until - clock.monotonic()) / 1000));
    };
    count();
    return clock.every(500, count);
  }, [state, secondsLeft]);
  const { tone, text } = describe(secondsLeft.value);
  return (
    <span class={`connection ${tone}`}>
      <span class="dot" aria-hidden="true" />
      <span aria-hidden="true">{text}</span>
      <span class="visually-hidden" role="status">
        {state.name === "waiting" ? "Offline" : text}
      </span>
    </span>
  );
}
