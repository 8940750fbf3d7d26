/** What everybody is told: written here, shown on every screen that it is for, taken back with a reason. */
import { useSignal } from "@preact/signals";
import type { Announcement, Role } from "../../../../sdk/mod.js";
import { http } from "../../../shared/account/session.js";
import { useAction, useOneWrite } from "../../../shared/actions.js";
import { Button, Field, Segments } from "../../../shared/kit/controls.js";
import { BellIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { now } from "../../../shared/line/node.js";
import { usePages } from "../../../shared/pages.js";
import { capital, dayOf, timeOfDay } from "../../../shared/words.js";
import { ReasonSheet } from "./reason-sheet.js";

interface Told extends Announcement {
  readonly roles: readonly Role[];
  readonly zones: readonly string[];
  readonly withdrawnAt?: number;
  readonly withdrawnBecause?: string;
}
interface FoundPlaces {
  readonly places: readonly { readonly lat: number; readonly lng: number }[];
}
interface Page {
  readonly announcements: readonly Told[];
  readonly nextBefore?: number;
}

const PAGE = 30;
const HOUR_MS = 3_600_000;
const LASTS = [
  { value: "1", label: "1 hour" },
  { value: "4", label: "4 hours" },
  { value: "24", label: "1 day" },
] as const;
const AUDIENCES = [
  { value: "all", label: "Everybody" },
  { value: "customer", label: "Customers" },
  { value: "driver", label: "Drivers" },
  { value: "restaurant", label: "Kitchens" },
] as const;
const PLACES = [
  { value: "everywhere", label: "Everywhere" },
  { value: "around", label: "Around an address" },
] as const;
/** A part of town: its zone, and those next to it that begin within this. */
const AROUND_METERS = 500;
const LEVELS = [
  { value: "info", label: "To know" },
  { value: "warning", label: "Mind this" },
  { value: "urgent", label: "Urgent" },
] as const;

export function NewsPage() {
  const writing = useSignal(false);
  const withdrawing = useSignal<Told | null>(null);
  const { reading, items, again, more } = usePages(
    (before: number | undefined, stop) =>
      http
        .get<Page>("/v1/announcements/all", { limit: PAGE, before }, stop)
        .then(({ announcements, nextBefore }) => ({ items: announcements, next: nextBefore, about: null })),
    [],
  );
  const withdraw = useAction(async (reason: string) => {
    await http.send("POST", `/v1/announcements/${withdrawing.value!.announcementId}/withdraw`, { reason });
    withdrawing.value = null;
    say("It leaves every screen");
    again();
  });
  return (
    <div class="stack narrow">
      <div class="between">
        <h1>Announcements</h1>
        <Button onClick={() => (writing.value = true)}>Write one</Button>
      </div>
      {reading === "failed" ? (
        <Failure error={more.error} again={again} />
      ) : reading === "loading" ? (
        <Bones count={4} height={84} />
      ) : items.length === 0 ? (
        <Empty picture={<BellIcon />} title="Nothing has been told yet">
          What you write here appears on the screens of those whom it is for, within seconds.
        </Empty>
      ) : (
        <ul class="rows panel">
          {items.map((told) => (
            <li key={told.announcementId} class="history-row">
              <div class="between">
                <strong>{told.title}</strong>
                <span class={stateOf(told) === "Shown" ? "chip good" : "chip"}>{stateOf(told)}</span>
              </div>
              <p dir="auto">{told.text}</p>
              <div class="between">
                <p class="small soft">
                  {told.roles.length === 0 ? "Everybody" : told.roles.map(capital).join(", ")}
                  {told.zones.length > 0 && " in a part of town"} · {dayOf(told.startsAt)}, {timeOfDay(told.startsAt)}–
                  {timeOfDay(told.endsAt)}
                  {told.withdrawnBecause !== undefined && ` · taken back: ${told.withdrawnBecause}`}
                </p>
                {["Shown", "Planned"].includes(stateOf(told)) && (
                  <Button kind="secondary" size="little" onClick={() => (withdrawing.value = told)}>
                    Take back
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {more.more && (
        <Button kind="secondary" busy={more.busy} onClick={() => void more.run()}>
          Show more
        </Button>
      )}
      {writing.value && (
        <Writer
          onDone={() => {
            writing.value = false;
            again();
          }}
          onClose={() => (writing.value = false)}
        />
      )}
      {withdrawing.value !== null && (
        <ReasonSheet
          title="Take it back"
          about={`“${withdrawing.value.title}” leaves every screen within seconds.`}
          button="Take it back"
          busy={withdraw.busy}
          onDone={(reason) => void withdraw.run(reason)}
          onClose={() => (withdrawing.value = null)}
        />
      )}
    </div>
  );
}

function stateOf(told: Told): "Taken back" | "Over" | "Planned" | "Shown" {
  if (told.withdrawnAt !== undefined) return "Taken back";
  if (told.endsAt <= now.value) return "Over";
  return told.startsAt > now.value ? "Planned" : "Shown";
}

function Writer({ onDone, onClose }: { readonly onDone: () => void; readonly onClose: () => void }) {
  const title = useSignal("");
  const text = useSignal("");
  const level = useSignal<(typeof LEVELS)[number]["value"]>("info");
  const audience = useSignal<(typeof AUDIENCES)[number]["value"]>("all");
  const place = useSignal<(typeof PLACES)[number]["value"]>("everywhere");
  const address = useSignal("");
  const hours = useSignal<(typeof LASTS)[number]["value"]>("4");
  const from = useSignal("");
  const startsAt = from.value === "" ? undefined : new Date(from.value).getTime();
  const oneWrite = useOneWrite<object>();
  const publishing = useAction(async () => {
    const zones = place.value === "around" ? await zonesAround(address.value.trim()) : null;
    const told = {
      title: title.value.trim(),
      text: text.value.trim(),
      level: level.value,
      ...(audience.value === "all" ? {} : { roles: [audience.value] }),
      ...(zones === null ? {} : { zones }),
      ...(startsAt === undefined ? {} : { startsAt }),
    };
    const lastsMs = Number(hours.value) * HOUR_MS;
    const { key, body } = oneWrite(JSON.stringify([told, lastsMs]), () => ({
      ...told,
      endsAt: (startsAt ?? Math.floor(now.peek())) + lastsMs,
    }));
    await http.send("POST", "/v1/announcements", body, { idempotencyKey: key });
    say(startsAt === undefined ? "It is on its way to every screen" : "It is planned");
    onDone();
  });
  return (
    <Sheet
      title="Tell people"
      onClose={onClose}
      foot={
        <Button
          size="large"
          block
          busy={publishing.busy}
          disabled={
            title.value.trim() === "" ||
            text.value.trim() === "" ||
            (place.value === "around" && address.value.trim() === "")
          }
          onClick={() => void publishing.run()}
        >
          {startsAt === undefined ? "Tell now" : "Plan it"}
        </Button>
      }
    >
      <div class="stack">
        <Segments
          label="Whom it is for"
          value={audience.value}
          options={AUDIENCES}
          onChange={(next) => (audience.value = next)}
        />
        <Segments label="Where" value={place.value} options={PLACES} onChange={(next) => (place.value = next)} />
        {place.value === "around" && (
          <Field
            label="Address"
            required
            maxLength={200}
            hint="Told to who is some kilometres around it, or has food brought there"
            value={address.value}
            onInput={(next) => (address.value = next)}
          />
        )}
        <Field label="Title" required maxLength={120} value={title.value} onInput={(next) => (title.value = next)} />
        <Field
          label="Text"
          multiline
          required
          maxLength={2000}
          value={text.value}
          onInput={(next) => (text.value = next)}
        />
        <Segments
          label="How much it matters"
          value={level.value}
          options={LEVELS}
          onChange={(next) => (level.value = next)}
        />
        <Segments
          label="How long it is shown"
          value={hours.value}
          options={LASTS}
          onChange={(next) => (hours.value = next)}
        />
        <Field
          label="From"
          type="datetime-local"
          hint="Empty: from now on"
          value={from.value}
          onInput={(next) => (from.value = next)}
        />
      </div>
    </Sheet>
  );
}

/** Rejects with a sentence for people when there is no such address. */
async function zonesAround(q: string): Promise<readonly string[]> {
  const { places } = await http.get<FoundPlaces>("/v1/places", { q, limit: 1 });
  const found = places[0];
  if (found === undefined) throw new Error("There is no such address. Write the street, and the town.");
  const { lat, lng } = found;
  const around = { lat, lng, radiusMeters: AROUND_METERS };
  return (await http.get<{ readonly zones: readonly string[] }>("/v1/city/zones", around)).zones;
}
