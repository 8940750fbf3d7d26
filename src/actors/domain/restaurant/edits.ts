/** What people change of a restaurant: its profile and menu, an item, its hours, a pause, whether it is listed. */
import { isSimplePolygon } from "../../../lib/geo.js";
import {
  type CommandBody,
  isCurrency,
  isTimeZone,
  type MenuItem,
  type OpeningHours,
  type RestaurantProfile,
} from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import type { DomainSettings } from "../settings.js";
import type { RestaurantContract } from "./messages.js";
import { beforeEdit, fromNowOn, refilled } from "./refill.js";
import { save } from "./save.js";
import { isForLater, type Menu, type RestaurantContext, type RestaurantState } from "./state.js";
import { restocked } from "./stock.js";

/** As many as a profile may list. */
const MOST_ITEMS = 500;

type Changed = { readonly menuVersion: number };
type Configured = RestaurantState & { readonly menu: Menu };
/** What is wrong with a profile beyond its schema. */
interface Problem {
  readonly path: string;
  readonly problem: string;
}

/** Only the restaurant itself and admins; to others it does not exist. */
function mayEdit(ctx: RestaurantContext): boolean {
  const { caller } = ctx.command;
  return caller?.role === "admin" || (caller?.role === "restaurant" && caller.id === ctx.key);
}

/** Runs an edit of a restaurant that there is, for those who may. Null from the edit: nothing to change. */
function edit(
  ctx: RestaurantContext,
  settings: DomainSettings,
  change: (state: Configured) => RestaurantState | Rejection | null,
): Changed | Rejection {
  const { state } = ctx;
  if (!mayEdit(ctx) || state.menu === null) return ctx.reject("not_found");
  const next = change({ ...beforeEdit(ctx), menu: state.menu });
  if (next === null) return { menuVersion: state.menuVersion };
  if (!("menu" in next)) return next;
  return { menuVersion: save(ctx, settings, next, true).menuVersion };
}

export function configure(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: CommandBody<"restaurant.configure">,
): Changed | Rejection {
  if (!mayEdit(ctx)) return ctx.reject("not_found");
  const { items, ...profile } = input.profile;
  const wrong = profileProblem(profile, "/profile") ?? itemsProblem(items);
  if (wrong !== null) return ctx.reject("invalid", { ...wrong });
  const state = beforeEdit(ctx);
  const first = state.menu === null;
  const next: RestaurantState = {
    ...state,
    menu: { profile, items },
    // A new restaurant opens with its first menu; later its doors are its own business.
    open: first ? true : state.open,
    // Whoever was not taken on by an admin waits for one's look, like those who applied.
    ...(first && ctx.command.caller?.role !== "admin" ? { status: "draft" as const } : {}),
    left: restocked(state.left, state.menu?.items ?? [], items),
  };
  return { menuVersion: save(ctx, settings, fromNowOn(next, ctx.now), true).menuVersion };
}

/** A draft: its people may write its menu, and nobody finds it until an admin has looked. */
export function found(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { profile }: RestaurantContract["found"]["input"],
): Changed | Rejection {
  if (ctx.command.caller?.role !== "admin") return ctx.reject("forbidden");
  const { state } = ctx;
  if (state.menu !== null) return ctx.reject("already_exists");
  const wrong = profileProblem(profile, "");
  if (wrong !== null) return ctx.reject("invalid", { ...wrong });
  const next: RestaurantState = { ...state, menu: { profile, items: [] }, open: true, status: "draft" };
  return { menuVersion: save(ctx, settings, next, true).menuVersion };
}

export function setStatus(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { status }: CommandBody<"restaurant.status">,
): RestaurantContract["setStatus"]["reply"] | Rejection {
  const { state } = ctx;
  if (ctx.command.caller?.role !== "admin" || state.menu === null) return ctx.reject("not_found");
  if (status === "verified" && state.menu.items.length === 0) {
    return ctx.reject("illegal_transition", { status: state.status ?? "verified", problem: "it has no menu yet" });
  }
  if (status === (state.status ?? "verified")) return { menuVersion: state.menuVersion, status };
  return { menuVersion: save(ctx, settings, { ...state, status }, true).menuVersion, status };
}

export function setItem(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: CommandBody<"restaurant.item">,
): Changed | Rejection {
  const { itemId, available, stock, priceMinor, refill } = input;
  return edit(ctx, settings, (state) => {
    const known = state.menu.items.find((item) => item.itemId === itemId);
    if (known === undefined) return ctx.reject("not_found");
    const isLimited = known.stock !== undefined || known.refill !== undefined;
    const edited: MenuItem = {
      ...known,
      ...(available === undefined ? {} : { available }),
      ...(priceMinor === undefined ? {} : { priceMinor }),
      // A count is of the shelf: what there is to sell in all is still what whoever writes the menu says.
      ...(stock === undefined || isLimited ? {} : { stock }),
      ...(refill === undefined ? {} : { refill }),
    };
    // A person counted what is on the shelf: open orders' share is not on it any more, but of those that nobody there
    // has heard of yet.
    const counted = stock ?? (isLimited ? undefined : refill?.stock);
    const left =
      counted === undefined ? state.left : { ...state.left, [itemId]: counted - promisedForLater(state, itemId) };
    return fromNowOn({ ...withItem(state, known, edited), left }, ctx.now);
  });
}

/** Portions on the shelf that orders for later hold. */
function promisedForLater({ orders }: RestaurantState, itemId: string): number {
  let promised = 0;
  for (const order of Object.values(orders)) {
    if (!isForLater(order)) continue;
    for (const [id, quantity] of order.took) if (id === itemId) promised += quantity;
  }
  return promised;
}

/** A dish written whole: the one by its id gives way to it, a new one comes last. */
export function putItem(ctx: RestaurantContext, settings: DomainSettings, item: MenuItem): Changed | Rejection {
  return edit(ctx, settings, (state) => {
    const before = state.menu.items;
    const known = before.some(({ itemId }) => itemId === item.itemId);
    if (!known && before.length >= MOST_ITEMS) return ctx.reject("too_many", { most: MOST_ITEMS });
    const items = known ? before.map((each) => (each.itemId === item.itemId ? item : each)) : [...before, item];
    const wrong = itemProblem(item, "/item");
    if (wrong !== null) return ctx.reject("invalid", { ...wrong });
    return withItems(ctx, state, items);
  });
}

/** Orders that have it stay as they are. What is on the menu for all to see cannot lose its last dish. */
export function removeItem(ctx: RestaurantContext, settings: DomainSettings, itemId: string): Changed | Rejection {
  return edit(ctx, settings, (state) => {
    const items = state.menu.items.filter((item) => item.itemId !== itemId);
    if (items.length === state.menu.items.length) return ctx.reject("not_found");
    if (items.length === 0 && (state.status ?? "verified") === "verified") {
      return ctx.reject("illegal_transition", { problem: "it is the last dish of the menu" });
    }
    return withItems(ctx, state, items);
  });
}

function withItems(ctx: RestaurantContext, state: Configured, items: readonly MenuItem[]): RestaurantState {
  const left = restocked(state.left, state.menu.items, items);
  return fromNowOn({ ...state, menu: { ...state.menu, items }, left }, ctx.now);
}

export function setChoice(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { itemId, groupId, choiceId, available, priceMinor }: CommandBody<"restaurant.choice">,
): Changed | Rejection {
  return edit(ctx, settings, (state) => {
    const known = state.menu.items.find((item) => item.itemId === itemId);
    const group = known?.options?.find((each) => each.groupId === groupId);
    const choice = group?.choices.find((each) => each.choiceId === choiceId);
    if (known?.options === undefined || group === undefined || choice === undefined) return ctx.reject("not_found");
    const edited = {
      ...choice,
      ...(available === undefined ? {} : { available }),
      ...(priceMinor === undefined ? {} : { priceMinor }),
    };
    const choices = group.choices.map((each) => (each === choice ? edited : each));
    const options = known.options.map((each) => (each === group ? { ...group, choices } : each));
    return withItem(state, known, { ...known, options });
  });
}

function withItem(state: Configured, known: MenuItem, edited: MenuItem): RestaurantState {
  const items = state.menu.items.map((item) => (item === known ? edited : item));
  return { ...state, menu: { ...state.menu, items } };
}

export function setOpen(ctx: RestaurantContext, settings: DomainSettings, open: boolean): Changed | Rejection {
  return edit(ctx, settings, (state) => (state.open === open ? null : { ...state, open }));
}

export function setHours(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { hours }: CommandBody<"restaurant.hours">,
): Changed | Rejection {
  return edit(ctx, settings, (state) => {
    const wrong = hoursProblem(hours ?? undefined, "/hours");
    if (wrong !== null) return ctx.reject("invalid", { ...wrong });
    const { hours: _before, ...profile } = state.menu.profile;
    return { ...state, menu: { ...state.menu, profile: hours === null ? profile : { ...profile, hours } } };
  });
}

export function setCategories(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { categories }: CommandBody<"restaurant.categories">,
): Changed | Rejection {
  return edit(ctx, settings, (state) => ({
    ...state,
    menu: { ...state.menu, profile: { ...state.menu.profile, categories } },
  }));
}

/** A pause ends by itself, or when somebody resumes. A new one takes the old one's place. */
export function pause(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { until, minutes, reason }: CommandBody<"restaurant.pause">,
): Changed | Rejection {
  return edit(ctx, settings, (state) => {
    const end = until ?? (minutes === undefined ? undefined : ctx.now + minutes * settings.order.minuteMs);
    if (end !== undefined && end <= ctx.now) {
      return ctx.reject("invalid", { path: "/until", problem: "has passed already" });
    }
    const paused = {
      ...(end === undefined ? {} : { until: Math.ceil(end) }),
      ...(reason === undefined ? {} : { reason }),
    };
    return { ...state, paused };
  });
}

export function resume(ctx: RestaurantContext, settings: DomainSettings): Changed | Rejection {
  return edit(ctx, settings, ({ paused, missed: _, ...state }) => (paused === undefined ? null : state));
}

/** Its own timer: the hours or a pause say another thing now. `save` sees that. */
export function doorsDue(ctx: RestaurantContext, settings: DomainSettings): null {
  save(ctx, settings, ctx.state);
  return null;
}

export function refillDue(ctx: RestaurantContext, settings: DomainSettings): null {
  save(ctx, settings, refilled(ctx), true);
  return null;
}

function profileProblem(
  { currency, deliveryPolygon, hours }: Pick<RestaurantProfile, "currency" | "deliveryPolygon" | "hours">,
  path: string,
): Problem | null {
  if (!isCurrency(currency)) return { path: `${path}/currency`, problem: "is no currency of ISO 4217" };
  if (deliveryPolygon !== undefined && !isSimplePolygon(deliveryPolygon))
    return {
      path: `${path}/deliveryPolygon`,
      problem: "has edges that cross, or encloses nothing: list its corners in turn",
    };
  return hoursProblem(hours, `${path}/hours`);
}

function hoursProblem(hours: OpeningHours | undefined, path: string): Problem | null {
  if (hours === undefined) return null;
  if (!isTimeZone(hours.timeZone)) return { path: `${path}/timeZone`, problem: "is no time zone of the IANA database" };
  const dates = new Set<string>();
  for (const [index, { date }] of (hours.exceptions ?? []).entries()) {
    const midnight = Date.parse(`${date}T00:00:00Z`);
    // Some engines take the 30th of February for the 2nd of March.
    if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) {
      return { path: `${path}/exceptions/${index}/date`, problem: "there is no such day" };
    }
    if (dates.has(date)) return { path: `${path}/exceptions/${index}/date`, problem: "the date is there twice" };
    dates.add(date);
  }
  return null;
}

function itemsProblem(items: readonly MenuItem[]): Problem | null {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const path = `/profile/items/${index}`;
    if (seen.has(item.itemId)) return { path: `${path}/itemId`, problem: "the item is there twice" };
    seen.add(item.itemId);
    const wrong = itemProblem(item, path);
    if (wrong !== null) return wrong;
  }
  return null;
}

function itemProblem(item: MenuItem, path: string): Problem | null {
  // No record can hold this key: its stock would not be counted.
  if (item.itemId === "__proto__") return { path: `${path}/itemId`, problem: "no item can have this id" };
  return optionsProblem(item, path);
}

function optionsProblem(item: MenuItem, path: string): Problem | null {
  const groups = new Set<string>();
  for (const [index, { groupId, min = 0, max = 1, choices }] of (item.options ?? []).entries()) {
    const at = `${path}/options/${index}`;
    if (groups.has(groupId)) return { path: `${at}/groupId`, problem: "the group is there twice" };
    groups.add(groupId);
    if (new Set(choices.map(({ choiceId }) => choiceId)).size < choices.length) {
      return { path: `${at}/choices`, problem: "a choice is there twice" };
    }
    if (max < 1 || min > max) return { path: `${at}/max`, problem: "must be at least 1 and not below min" };
    if (min > choices.length) return { path: `${at}/min`, problem: "asks for more choices than there are" };
  }
  return null;
}
