/** The hours of the week, and the days on which others hold, or none. */
import { useSignal } from "@preact/signals";
import type { MenuView, OpeningHours } from "../../../../sdk/mod.js";
import { dateAfter } from "../../../../src/lib/calendar.js";
import { useAction } from "../../../shared/actions.js";
import { Button } from "../../../shared/kit/controls.js";
import { PlusIcon, TrashIcon } from "../../../shared/kit/icons.js";
import { say } from "../../../shared/kit/toasts.js";
import { now } from "../../../shared/line/node.js";
import { server } from "../store/inbox.js";
import { menuChanged } from "./menu-version.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MOST_SPECIAL = 60;
const MOST_SPANS = 6;
const MOST_WEEKLY = 42;
const USUAL = { from: "11:00", to: "22:00" };

type Weekly = OpeningHours["weekly"][number];
type Special = NonNullable<OpeningHours["exceptions"]>[number];
type Span = Special["spans"][number];

/** An empty field is a time that nobody has finished writing. */
const isTime = (text: string): boolean => /^\d{2}:\d{2}$/.test(text);
const complete = ({ from, to }: Span): boolean => isTime(from) && isTime(to);

/** What is wrong, in words; null: it can be saved. */
function problemOf(weekly: readonly Weekly[], special: readonly Special[]): string | null {
  if (weekly.length === 0 && special.every(({ spans }) => spans.length === 0)) return "No day has hours yet.";
  if (!weekly.every(complete) || !special.every(({ spans }) => spans.every(complete))) return "A time is missing.";
  if (special.some(({ date }) => date === "")) return "A special day has no date.";
  const dates = new Set(special.map(({ date }) => date));
  return dates.size < special.length ? "A special day is there twice." : null;
}

/** The first day from today on that is not special yet, by the restaurant's calendar. */
function nextDate(special: readonly Special[], timeZone: string | undefined): string {
  for (let days = 0; ; days++) {
    const date = dateAfter(now.peek(), days, timeZone);
    if (special.every((each) => each.date !== date)) return date;
  }
}

export function HoursForm({ menu }: { readonly menu: MenuView }) {
  const weekly = useSignal<readonly Weekly[]>(menu.hours?.weekly ?? []);
  const special = useSignal<readonly Special[]>(menu.hours?.exceptions ?? []);
  const untouched = menu.hours === undefined && weekly.value.length === 0 && special.value.length === 0;
  const problem = problemOf(weekly.value, special.value);
  const saving = useAction(async () => {
    const timeZone = menu.hours?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    const exceptions = special.value
      .map(({ reason = "", ...rest }) => ({ ...rest, ...(reason.trim() === "" ? {} : { reason: reason.trim() }) }))
      .sort((a, b) => (a.date < b.date ? -1 : 1));
    const spans = [...weekly.value].sort((a, b) => a.day - b.day || (a.from < b.from ? -1 : 1));
    const hours = { timeZone, weekly: spans, ...(exceptions.length === 0 ? {} : { exceptions }) };
    menuChanged(await server().command("restaurant.hours", { hours }));
    say("Hours are saved");
  });
  const byHand = useAction(async () => {
    menuChanged(await server().command("restaurant.hours", { hours: null }));
    say("You open and shut by hand");
  });
  const setWeekly = (index: number, change: Partial<Span>): void => {
    weekly.value = weekly.value.map((span, at) => (at === index ? { ...span, ...change } : span));
  };
  const setSpecial = (index: number, change: Partial<Special>): void => {
    special.value = special.value.map((day, at) => (at === index ? { ...day, ...change } : day));
  };
  return (
    <section class="panel stack" aria-label="Opening hours">
      <h2>Opening hours</h2>
      <p class="soft small">
        {menu.hours === undefined
          ? "Without hours you open and shut by hand."
          : `By the clock of ${menu.hours.timeZone.replaceAll("_", " ")}. A span that ends before it begins ends the next day.`}
      </p>
      {DAYS.map((name, index) => {
        const day = index + 1;
        return (
          <div key={name} class="hours-day">
            <span class="strong">{name}</span>
            <div class="stack tight">
              {weekly.value.map((span, at) =>
                span.day !== day ? null : (
                  <SpanFields
                    key={`${day}-${at}`}
                    of={name}
                    span={span}
                    onChange={(change) => setWeekly(at, change)}
                    onRemove={() => (weekly.value = weekly.value.filter((_, each) => each !== at))}
                  />
                ),
              )}
              {weekly.value.every((span) => span.day !== day) && (
                <span class="soft">{untouched ? "By hand" : "Closed"}</span>
              )}
            </div>
            <button
              type="button"
              class="icon-button"
              aria-label={`Add a span to ${name}`}
              disabled={weekly.value.length >= MOST_WEEKLY}
              onClick={() => (weekly.value = [...weekly.value, { day, ...USUAL }])}
            >
              <PlusIcon />
            </button>
          </div>
        );
      })}
      <div class="between">
        <h3>Special days</h3>
        <Button
          kind="quiet"
          size="little"
          disabled={special.value.length >= MOST_SPECIAL}
          onClick={() =>
            (special.value = [...special.value, { date: nextDate(special.value, menu.hours?.timeZone), spans: [] }])
          }
        >
          <PlusIcon /> Add a day
        </Button>
      </div>
      <p class="soft small">On these days the hours of the week do not count. A day without a span is closed.</p>
      {special.value.map((day, at) => (
        <SpecialDay
          key={`special-${at}`}
          day={day}
          onChange={(change) => setSpecial(at, change)}
          onRemove={() => (special.value = special.value.filter((_, each) => each !== at))}
        />
      ))}
      {problem !== null && !untouched && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      <div class="row wrap">
        <Button busy={saving.busy} disabled={problem !== null} onClick={() => void saving.run()}>
          Save hours
        </Button>
        {menu.hours !== undefined && (
          <Button kind="plain" busy={byHand.busy} onClick={() => void byHand.run()}>
            By hand instead
          </Button>
        )}
      </div>
    </section>
  );
}

function SpanFields({
  of,
  span,
  onChange,
  onRemove,
}: {
  readonly of: string;
  readonly span: Span;
  readonly onChange: (change: Partial<Span>) => void;
  readonly onRemove: () => void;
}) {
  return (
    <span class="row">
      <input
        class="input time"
        type="time"
        aria-label={`${of} from`}
        value={span.from}
        onInput={(event) => onChange({ from: event.currentTarget.value })}
      />
      –
      <input
        class="input time"
        type="time"
        aria-label={`${of} to`}
        value={span.to === "24:00" ? "00:00" : span.to}
        onInput={(event) => onChange({ to: event.currentTarget.value })}
      />
      <button type="button" class="icon-button" aria-label={`Remove this span of ${of}`} onClick={onRemove}>
        <TrashIcon />
      </button>
    </span>
  );
}

function SpecialDay({
  day,
  onChange,
  onRemove,
}: {
  readonly day: Special;
  readonly onChange: (change: Partial<Special>) => void;
  readonly onRemove: () => void;
}) {
  const { date, spans, reason } = day;
  const setSpans = (next: readonly Span[]): void => onChange({ spans: [...next] });
  return (
    <div class="special-day">
      <div class="row">
        <input
          class="input date"
          type="date"
          aria-label="Date of a special day"
          value={date}
          onInput={(event) => onChange({ date: event.currentTarget.value })}
        />
        <input
          class="input grow"
          type="text"
          maxLength={80}
          placeholder="Why, for example Christmas"
          aria-label={`Why ${date} is special`}
          value={reason ?? ""}
          onInput={(event) => onChange({ reason: event.currentTarget.value })}
        />
        <button type="button" class="icon-button" aria-label={`Remove the special day ${date}`} onClick={onRemove}>
          <TrashIcon />
        </button>
      </div>
      <div class="row wrap">
        {spans.length === 0 && <span class="chip bad">Closed</span>}
        {spans.map((span, at) => (
          <SpanFields
            key={at}
            of={date}
            span={span}
            onChange={(change) => setSpans(spans.map((each, index) => (index === at ? { ...each, ...change } : each)))}
            onRemove={() => setSpans(spans.filter((_, index) => index !== at))}
          />
        ))}
        <Button
          kind="quiet"
          size="little"
          disabled={spans.length >= MOST_SPANS}
          onClick={() => setSpans([...spans, USUAL])}
        >
          <PlusIcon /> Open for a while
        </Button>
      </div>
    </div>
  );
}
