/** When the food shall come: as soon as it can, or at a time of the next days at which the restaurant is open. */
import { useEffect } from "preact/hooks";
import { type MenuView, openAt } from "../../../../sdk/mod.js";
import { daysBetween } from "../../../../src/lib/calendar.js";
import { Segments } from "../../../shared/kit/controls.js";
import { now } from "../../../shared/line/node.js";
import { dayOf, timeOfDay, timeRange } from "../../../shared/words.js";
import { type Cart, setExtras } from "../store/cart.js";

const SLOT_MS = 15 * 60_000;
/** Sooner than this is as soon as it can. */
const SOONEST_MS = 45 * 60_000;
const DAY_MS = 24 * 3_600_000;
const DAYS_AHEAD = 6;

/** A restaurant that is shut now, but keeps hours, cooks when it is open again. */
export const takesOrdersLater = (menu: MenuView): boolean => menu.hours !== undefined && menu.shut !== true;

/** Why nothing is cooked now, until when, and what can be done. */
export function closedText(menu: MenuView): string {
  const why =
    menu.offlineSince !== undefined
      ? "Not taking orders right now"
      : menu.paused === undefined
        ? "Closed at the moment"
        : "Taking a short break";
  const opens = menu.changesAt === undefined ? "" : `, opens ${laterText(menu.changesAt, now.value)}`;
  return `${why}${opens}. ${takesOrdersLater(menu) ? "You can order for later." : "You can look, but not order yet."}`;
}

/** Beginnings of quarter hours, by day. */
function slotsOf(menu: MenuView, from: number): ReadonlyMap<string, readonly number[]> {
  const { hours } = menu;
  const days = new Map<string, number[]>();
  const first = Math.ceil((from + SOONEST_MS) / SLOT_MS) * SLOT_MS;
  for (let at = first; at < from + DAYS_AHEAD * DAY_MS; at += SLOT_MS) {
    // What is wanted when they open has to be cooked first.
    if (hours !== undefined && !(openAt(hours, at) && openAt(hours, at - SOONEST_MS))) continue;
    const day = dayOf(at);
    const present = days.get(day);
    if (present === undefined) days.set(day, [at]);
    else present.push(at);
  }
  return days;
}

export function When({ order, menu }: { readonly order: Cart; readonly menu: MenuView }) {
  const { deliverAt } = order;
  // Looked over again each quarter of an hour, not each second.
  const days = slotsOf(menu, Math.floor(now.value / SLOT_MS) * SLOT_MS);
  const first = days.values().next().value?.[0];
  const kept = deliverAt === null || [...days.values()].some((slots) => slots.includes(deliverAt));
  useEffect(() => {
    // A time that has passed meanwhile, or at which they are shut: the next one.
    if (!kept) setExtras({ deliverAt: first ?? null });
  }, [kept, first]);
  if (first === undefined) return null;
  const day = deliverAt === null ? null : days.has(dayOf(deliverAt)) ? dayOf(deliverAt) : dayOf(first);
  return (
    <div class="field">
      <span class="label">When</span>
      {menu.open ? (
        <Segments
          label="When"
          value={deliverAt === null ? "now" : "later"}
          options={[
            { value: "now", label: "As soon as possible" },
            { value: "later", label: "Later" },
          ]}
          onChange={(next) => setExtras({ deliverAt: next === "now" ? null : first })}
        />
      ) : (
        deliverAt === null && (
          <button type="button" class="button secondary" onClick={() => setExtras({ deliverAt: first })}>
            Choose a time when they are open
          </button>
        )
      )}
      {deliverAt !== null && day !== null && (
        <div class="row">
          <select
            class="input"
            aria-label="Day"
            value={day}
            onChange={(event) => setExtras({ deliverAt: days.get(event.currentTarget.value)![0]! })}
          >
            {[...days].map(([name, [slot]]) => (
              <option key={name} value={name}>
                {dayName(slot!, now.value)}
              </option>
            ))}
          </select>
          <select
            class="input"
            aria-label="Time"
            value={String(deliverAt)}
            onChange={(event) => setExtras({ deliverAt: Number(event.currentTarget.value) })}
          >
            {days.get(day)!.map((at) => (
              <option key={at} value={String(at)}>
                {timeRange(at - SLOT_MS / 2, at + SLOT_MS / 2)}
              </option>
            ))}
          </select>
        </div>
      )}
    </div>
  );
}

function dayName(at: number, from: number): string {
  const days = daysBetween(from, at);
  return days === 0 ? "Today" : days === 1 ? "Tomorrow" : dayOf(at);
}

/** “Tomorrow, 19:30”. */
export const laterText = (deliverAt: number, at: number): string =>
  `${dayName(deliverAt, at)}, ${timeOfDay(deliverAt)}`;
