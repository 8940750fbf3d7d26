/** The restaurant actor: its commands, the tablet's channel, its menu in the index. */
import { isListed } from "../../../protocol/mod.js";
import { type ActorDefinition, defineActor, Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import * as edits from "./edits.js";
import * as inbox from "./inbox.js";
import * as kitchen from "./kitchen.js";
import * as menu from "./menu.js";
import { Restaurant, type RestaurantContract } from "./messages.js";
import {
  emptyRestaurantMemory,
  initialRestaurant,
  menuView,
  type RestaurantMemory,
  type RestaurantState,
} from "./state.js";
import * as tablets from "./tablets.js";

const DAY_MS = 24 * 60 * 60_000;

export function restaurantActor(
  settings: DomainSettings,
): ActorDefinition<RestaurantContract, RestaurantState, RestaurantMemory> {
  return defineActor<RestaurantContract, RestaurantState, RestaurantMemory>({
    ref: Restaurant,
    version: 1,
    durability: "commit",
    idleMs: 15 * 60_000,
    init: initialRestaurant,
    cold: ["menu"],
    volatile: emptyRestaurantMemory,
    hydrate: {
      queries: (key) => [{ kind: "order", counterparty: key, live: true, limit: inbox.HYDRATE_LIMIT }],
      apply: inbox.hydrate,
    },
    index(state, key) {
      const view = menuView(key, state, settings.restaurant);
      if (view === null) return null;
      return {
        scope: isListed(view) ? "restaurants" : "unlisted",
        owner: key,
        counterparty: "",
        status: view.open ? "open" : "closed",
        live: view.open,
        // By the time of its last change, so that a reader finds what has changed since.
        at: state.changedAt ?? state.menuVersion,
        view: asJson(view),
      };
    },
    channels: {
      inbox: {
        delivery: "reliable",
        admit: (ctx, caller) =>
          caller.role === "restaurant" && caller.id === ctx.key ? true : new Rejection("not_found"),
        snapshot: (ctx) => ({ snapshot: { body: asJson(inbox.inboxSnapshot(ctx)), ttlMs: DAY_MS } }),
        keep: 512,
        acknowledged: inbox.acknowledged,
      },
      state: {
        delivery: "latest",
        admit: (ctx, caller) =>
          caller.role === "restaurant" && caller.id === ctx.key ? true : new Rejection("not_found"),
        snapshot: () => ({}),
      },
    },
    volatileCommands: ["leftKitchen", "delivered", "zonePicture", "outlook", "tablet", "inboxView"],
    commands: {
      configure: (ctx, input) => edits.configure(ctx, settings, input),
      setItem: (ctx, input) => edits.setItem(ctx, settings, input),
      putItem: (ctx, { item }) => edits.putItem(ctx, settings, item),
      removeItem: (ctx, { itemId }) => edits.removeItem(ctx, settings, itemId),
      setOpen: (ctx, { open }) => edits.setOpen(ctx, settings, open),
      setChoice: (ctx, input) => edits.setChoice(ctx, settings, input),
      setHours: (ctx, input) => edits.setHours(ctx, settings, input),
      setCategories: (ctx, input) => edits.setCategories(ctx, settings, input),
      pause: (ctx, input) => edits.pause(ctx, settings, input),
      resume: (ctx) => edits.resume(ctx, settings),
      tablet: (ctx, input) => tablets.heard(ctx, settings, input),
      forgetTablet: (ctx, { deviceId }) => tablets.forget(ctx, settings, deviceId),
      inboxView: (ctx) => tablets.inboxView(ctx, settings),
      watch: (ctx) => tablets.watch(ctx, settings),
      setStatus: (ctx, input) => edits.setStatus(ctx, settings, input),
      found: (ctx, input) => edits.found(ctx, settings, input),
      reserve: (ctx, input) => menu.reserve(ctx, settings, input),
      offerOrder: (ctx, input) => inbox.offerOrder(ctx, settings, input),
      orderAccepted: (ctx, input) => inbox.orderAccepted(ctx, settings, input),
      driverAssigned: (ctx, input) => inbox.driverAssigned(ctx, settings, input),
      closeOrder: (ctx, input) => inbox.closeOrder(ctx, settings, input),
      leftKitchen(ctx, { orderId, sample }) {
        if (ctx.state.orders[orderId] !== undefined) ctx.volatile.left.set(orderId, sample ?? null);
        inbox.showLeft(ctx, orderId, "picked_up");
        return null;
      },
      delivered(ctx, { orderId }) {
        inbox.showLeft(ctx, orderId, "delivered");
        return null;
      },
      forgetTold(ctx) {
        ctx.trim("inbox", Number.POSITIVE_INFINITY);
        return null;
      },
      zonePicture(ctx, picture) {
        ctx.volatile.zone = picture;
        return null;
      },
      outlook: (ctx) => kitchen.outlookOf(ctx, settings, null),
      redeliver: (ctx) => inbox.redeliver(ctx, settings),
      doors: (ctx) => edits.doorsDue(ctx, settings),
      refill: (ctx) => edits.refillDue(ctx, settings),
    },
  });
}
