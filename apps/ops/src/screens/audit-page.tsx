/** What people with power did, and why; newest first. Nothing here can be changed. */
import { http } from "../../../shared/account/session.js";
import { shortId } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { ReceiptIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { usePages } from "../../../shared/pages.js";
import { capital, dayOf, timeOfDay } from "../../../shared/words.js";

interface Entry {
  readonly entryId: number;
  readonly at: number;
  readonly role: string;
  readonly principalId: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string;
}
interface Page {
  readonly entries: readonly Entry[];
  readonly nextBefore?: number;
}

const PAGE = 50;

export function AuditPage() {
  const {
    reading,
    items: entries,
    again,
    more,
  } = usePages(
    (before: number | undefined, stop) =>
      http
        .get<Page>("/v1/audit", { limit: PAGE, before }, stop)
        .then((page) => ({ items: page.entries, next: page.nextBefore, about: null })),
    [],
  );
  if (reading === "failed") return <Failure error={more.error} again={again} />;
  if (reading === "loading") return <Bones count={6} height={64} />;
  return (
    <div class="stack narrow">
      <h1>Audit</h1>
      {entries.length === 0 ? (
        <Empty picture={<ReceiptIcon />} title="Nothing yet">
          What support and administrators do is written down here, with its reason.
        </Empty>
      ) : (
        <ol class="rows panel">
          {entries.map((entry) => (
            <li key={entry.entryId} class="history-row">
              <div class="between">
                <strong>{capital(entry.action.replace(".", " "))}</strong>
                <time class="small soft number" dateTime={new Date(entry.at).toISOString()}>
                  {dayOf(entry.at)}, {timeOfDay(entry.at)}
                </time>
              </div>
              <p class="small soft">
                {subjectText(entry.subject)} · by {entry.role} {shortId(entry.principalId)}
              </p>
              <p dir="auto">{entry.reason}</p>
            </li>
          ))}
        </ol>
      )}
      {more.more && (
        <Button kind="secondary" busy={more.busy} onClick={() => void more.run()}>
          Show more
        </Button>
      )}
    </div>
  );
}

function subjectText(subject: string): string {
  const [kind = "", id = ""] = subject.split("/");
  return `${capital(kind)} ${shortId(id)}`;
}
