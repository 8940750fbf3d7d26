/**
 * One follower of one order, whatever the transport: the view, and the position while the location gate lets it pass.
 * The internal slot `tracking` ends here; no transport ever sees it.
 */
import type { ActorError, Caller, SlotItem, Subscription } from "../../actors/runtime/mod.js";
import { CHANNELS, type OrderTracking, type OrderView } from "../../protocol/mod.js";
import type { GatewayClient } from "../ports.js";
import type { Broadcast } from "./broadcast.js";
import type { LocationGates, PositionWatcher } from "./location-gate.js";

const VIEW_SLOT = "view";
const TRACKING_SLOT = "tracking";

export interface OrderListener {
  /** Once, before the view. `unchanged`: the follower already has this version, and the view does not follow. */
  started(epoch: number, version: number, unchanged: boolean): void;
  /** The view that does not follow, for whoever shows positions together with it. */
  unchanged?(view: OrderView): void;
  view(item: SlotItem, view: OrderView): void;
  position(broadcast: Broadcast): void;
  clearPosition(): void;
  ended(error: ActorError): void;
}

export interface OrderFeed {
  close(): void;
}

/** `knownVersion`: the version the follower already has, or null. */
export function followOrder(
  deps: { readonly client: GatewayClient; readonly gates: LocationGates },
  orderId: string,
  caller: Caller,
  knownVersion: number | null,
  listener: OrderListener,
): OrderFeed {
  const { client, gates } = deps;
  let closed = false;
  let started = false;
  /** Null until the client has handed it over; the client may refuse before that. */
  let subscription: Subscription | null = null;
  /** The newest version passed on: an order's version strictly rises, so older news is dropped. */
  let passed = -1;
  const watcher: PositionWatcher = {
    positionSentAt: Number.NEGATIVE_INFINITY,
    // Until the order has admitted this follower, positions that others may see are not theirs (rule 12).
    position(broadcast) {
      if (started) listener.position(broadcast);
    },
    clearPosition: () => listener.clearPosition(),
  };
  const gate = gates.join(orderId, watcher);

  function slot(item: SlotItem): void {
    if (closed) return;
    if (item.slot === TRACKING_SLOT) {
      gates.tracking(gate, item.body as unknown as OrderTracking);
      return;
    }
    if (item.slot !== VIEW_SLOT) return;
    const view = item.body as unknown as OrderView;
    if (view.version <= passed) return;
    passed = view.version;
    gates.view(gate, view);
    listener.view(item, view);
  }

  subscription = client.subscribe(
    { kind: CHANNELS.order.actor, key: orderId, channel: CHANNELS.order.channel },
    caller,
    null,
    {
      subscribed(start) {
        if (closed) return;
        const first = start.slots.find((item) => item.slot === VIEW_SLOT)?.body as OrderView | undefined;
        const version = first?.version ?? 0;
        if (!started) {
          started = true;
          const unchanged = knownVersion !== null && knownVersion === version;
          if (unchanged) passed = version;
          listener.started(start.epoch, version, unchanged);
          if (unchanged && first !== undefined && !closed) listener.unchanged?.(first);
        }
        for (const item of start.slots) slot(item);
        if (!closed) gates.catchUp(gate, watcher);
      },
      event() {},
      slot,
      ended(error) {
        if (closed) return;
        close();
        listener.ended(error);
      },
    },
  );

  function close(): void {
    if (closed) return;
    closed = true;
    gates.leave(gate, watcher);
    subscription?.close();
  }
  if (closed) subscription.close();
  return { close };
}
