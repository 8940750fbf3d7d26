/** How people speak of an order's status: six stages, each with a colour, a mark and a word. */
import type { OrderStatus } from "../../sdk/mod.js";

export const STAGES = ["placed", "cooking", "waiting", "on_the_way", "delivered", "cancelled"] as const;
export type Stage = (typeof STAGES)[number];

export const STAGE_LABEL: Readonly<Record<Stage, string>> = {
  placed: "Placed",
  cooking: "Cooking",
  waiting: "Waiting",
  on_the_way: "On the way",
  delivered: "Delivered",
  cancelled: "Cancelled",
};

/** For people who hover or listen: what the word stands for. */
export const STAGE_HINT: Readonly<Record<Stage, string>> = {
  placed: "Sent to the restaurant, not accepted yet",
  cooking: "Accepted by the restaurant, in the kitchen",
  waiting: "Ready, waiting for a driver to pick it up",
  on_the_way: "Picked up, on the way to the customer",
  delivered: "Delivered since this page was opened",
  cancelled: "Cancelled, rejected or undeliverable since this page was opened",
};

export function stageOf(status: OrderStatus): Stage {
  switch (status) {
    case "placed":
    case "confirmed":
      return "placed";
    case "accepted":
    case "preparing":
      return "cooking";
    case "ready":
      return "waiting";
    case "picked_up":
      return "on_the_way";
    case "delivered":
      return "delivered";
    case "cancelled":
    case "rejected":
    case "undeliverable":
      return "cancelled";
  }
}

/** The name of the stage's colour in `theme.css`. */
export const stageColor = (stage: Stage): string => `--stage-${stage.replaceAll("_", "-")}`;
