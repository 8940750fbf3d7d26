/** A stage's mark: the colour and shape that it also has on the map. */
import { type Stage, stageColor } from "../../../shared/stages.js";

export function StageMark({ stage }: { readonly stage: Stage | "driver" }) {
  const color = stage === "driver" ? "var(--driver-offered)" : `var(${stageColor(stage)})`;
  return (
    <svg class="mark" viewBox="0 0 12 12" aria-hidden="true" style={{ color }}>
      {shape(stage)}
    </svg>
  );
}

function shape(stage: Stage | "driver") {
  switch (stage) {
    case "placed":
      return <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2" />;
    case "cooking":
      return <circle cx="6" cy="6" r="4.8" fill="currentColor" />;
    case "waiting":
      return (
        <>
          <circle cx="6" cy="6" r="2.6" fill="currentColor" />
          <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" stroke-width="1.5" />
        </>
      );
    case "on_the_way":
      return <path d="M6 .8 10.6 11 6 8.7 1.4 11z" fill="currentColor" />;
    case "delivered":
      return (
        <path d="m1.8 6.4 3 3 5.4-6.4" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />
      );
    case "cancelled":
      return <path d="m2.5 2.5 7 7m0-7-7 7" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />;
    case "driver":
      return (
        <circle cx="6" cy="6" r="3.8" fill="none" stroke="currentColor" stroke-width="2.4" stroke-dasharray="3 1.5" />
      );
  }
}
