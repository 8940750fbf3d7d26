/** What was given up and waits for a person: messages of the engine and money, and what people were to be told. */
import { useSignal } from "@preact/signals";
import { http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { shortId } from "../../../shared/format.js";
import { Button, Segments } from "../../../shared/kit/controls.js";
import { CheckIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { usePages } from "../../../shared/pages.js";
import { capital, dayOf, timeOfDay } from "../../../shared/words.js";
import { ReasonSheet } from "./reason-sheet.js";

interface Letter {
  readonly letterId: string;
  readonly source: "command" | "tell" | "effect" | "money";
  readonly subject: string;
  readonly name: string;
  readonly at: number;
  readonly reason: string;
  readonly attempts: number;
  readonly drives: number;
  readonly state: string;
  readonly answer?: string;
}
interface Message {
  readonly notificationId: string;
  readonly role: string;
  readonly kind: string;
  readonly channel: string;
  readonly subject: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly reason?: string;
}

/** Either, as it is shown and driven. */
interface Row {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly at: number;
  readonly why: string;
  readonly maySetAside: boolean;
}

const PAGE = 30;
const LISTS = [
  { value: "letters", label: "In the system" },
  { value: "messages", label: "To people" },
] as const;
type List = (typeof LISTS)[number]["value"];

const SOURCES = { command: "Command", tell: "Message", effect: "Asked outside", money: "Booking" } as const;

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

function subjectText(subject: string): string {
  const [kind = "", id = ""] = subject.split("/");
  return `${capital(kind)} ${shortId(id)}`;
}

function rowOfLetter(letter: Letter): Row {
  const { letterId, source, subject, name, at, reason, attempts, drives, answer } = letter;
  const driven = drives === 0 ? "" : ` · driven ${times(drives)}${answer === undefined ? "" : `: ${answer}`}`;
  return {
    id: letterId,
    title: `${SOURCES[source]}: ${name}`,
    about: `${subjectText(subject)}${attempts === 0 ? "" : ` · tried ${times(attempts)}`}${driven}`,
    at,
    why: reason,
    maySetAside: source !== "money",
  };
}

function rowOfMessage({ notificationId, role, kind, channel, subject, attempts, createdAt, reason }: Message): Row {
  return {
    id: notificationId,
    title: `${capital(channel)}: ${kind.replaceAll("_", " ")}`,
    about: `${subjectText(subject)} · to a ${role} · tried ${times(attempts)}`,
    at: createdAt,
    why: reason ?? "",
    maySetAside: false,
  };
}

async function read(list: List, before: number | undefined, stop?: AbortSignal) {
  if (list === "letters") {
    type Answer = { readonly letters: readonly Letter[]; readonly nextBefore?: number };
    const { letters, nextBefore } = await http.get<Answer>("/v1/dead-letters", { limit: PAGE, before }, stop);
    return { items: letters.map(rowOfLetter), next: nextBefore, about: null };
  }
  type Answer = { readonly notifications: readonly Message[]; readonly nextBefore?: number };
  const query = { state: "dead", limit: PAGE, before };
  const { notifications, nextBefore } = await http.get<Answer>("/v1/notifications", query, stop);
  return { items: notifications.map(rowOfMessage), next: nextBefore, about: null };
}

export function LettersPage() {
  const list = useSignal<List>("letters");
  const chosen = useSignal<{ readonly row: Row; readonly deed: "drive" | "set_aside" } | null>(null);
  const shown = list.value;
  const { reading, items, again, more } = usePages(
    (before: number | undefined, stop) => read(shown, before, stop),
    [shown],
  );
  const doing = useAction(async (reason: string) => {
    const { row, deed } = chosen.value!;
    if (shown === "messages") {
      await http.send("POST", "/v1/notifications/retry", { notificationId: row.id, reason });
      say("It is tried again");
    } else {
      const path = deed === "drive" ? "/v1/dead-letters/drive" : "/v1/dead-letters/set-aside";
      const { state, answer } = await http.send<Letter>("POST", path, { letterId: row.id, reason });
      say(
        state === "waiting"
          ? `In vain: ${answer ?? "it still fails"}`
          : deed === "drive"
            ? "Driven again"
            : "Set aside",
      );
    }
    chosen.value = null;
    again();
  });
  return (
    <div class="stack narrow">
      <h1>Put aside</h1>
      <Segments label="What was put aside" value={shown} options={LISTS} onChange={(next) => (list.value = next)} />
      {reading === "failed" ? (
        <Failure error={more.error} again={again} />
      ) : reading === "loading" ? (
        <Bones count={4} height={84} />
      ) : items.length === 0 ? (
        <Empty picture={<CheckIcon />} title="Nothing waits for you">
          What keeps failing is put aside here, so that it holds up nobody else.
        </Empty>
      ) : (
        <ul class="rows panel">
          {items.map((row) => (
            <li key={row.id} class="history-row">
              <div class="between">
                <strong>{row.title}</strong>
                <time class="small soft number" dateTime={new Date(row.at).toISOString()}>
                  {dayOf(row.at)}, {timeOfDay(row.at)}
                </time>
              </div>
              <p class="small soft">{row.about}</p>
              <p>{row.why}</p>
              <div class="row wrap">
                <Button kind="secondary" size="little" onClick={() => (chosen.value = { row, deed: "drive" })}>
                  {shown === "messages" ? "Try again" : "Drive again"}
                </Button>
                {row.maySetAside && (
                  <Button kind="secondary" size="little" onClick={() => (chosen.value = { row, deed: "set_aside" })}>
                    Set aside
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
      {chosen.value !== null && (
        <ReasonSheet
          title={chosen.value.deed === "drive" ? "Drive it again" : "Set it aside"}
          about={
            chosen.value.deed === "drive"
              ? `“${chosen.value.row.title}” is done as it was meant then, once. Mend first what it failed at.`
              : `“${chosen.value.row.title}” leaves the list; nothing is done.`
          }
          button={chosen.value.deed === "drive" ? "Drive again" : "Set aside"}
          busy={doing.busy}
          onDone={(reason) => void doing.run(reason)}
          onClose={() => (chosen.value = null)}
        />
      )}
    </div>
  );
}
