/** People: applications that wait for an answer, and the account behind an e-mail address. */
import { signal, useSignal } from "@preact/signals";
import type { Role } from "../../../../sdk/mod.js";
import { account, http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { Button, Field } from "../../../shared/kit/controls.js";
import { CheckIcon, PeopleIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { useReading } from "../../../shared/reading.js";
import { capital, dayOf } from "../../../shared/words.js";
import { ReasonSheet } from "./reason-sheet.js";
import { Restaurants } from "./restaurants.js";

interface RoleView {
  readonly role: Role;
  readonly principalId: string;
  readonly state: string;
}

interface AccountView {
  readonly accountId: string;
  readonly createdAt: number;
  readonly state: "active" | "banned" | "erased";
  readonly reason?: string;
  readonly email?: string;
  readonly name?: string;
  readonly phone?: string;
  readonly roles: readonly RoleView[];
}

interface ApplicationView {
  readonly applicationId: string;
  readonly since: number;
  readonly name?: string;
  readonly asks: {
    readonly role: "driver" | "restaurant";
    readonly vehicle?: string;
    readonly restaurantName?: string;
  };
}

const found = signal<AccountView | null>(null);
const mayDecide = (): boolean => account.value?.role === "admin";

export function PeoplePage() {
  return (
    <div class="stack wide narrow">
      <Applications />
      <Restaurants />
      <FindAccount />
    </div>
  );
}

function Applications() {
  const { reading, again } = useReading(
    (stop) => http.get<{ readonly applications: readonly ApplicationView[] }>("/v1/applications", { limit: 50 }, stop),
    [],
  );
  const refusing = useSignal<ApplicationView | null>(null);
  const approving = useAction(async (application: ApplicationView) => {
    await http.send("POST", `/v1/applications/${application.applicationId}/approve`, {});
    say("Approved");
    again();
  });
  const rejecting = useAction(async (reason: string) => {
    await http.send("POST", `/v1/applications/${refusing.value!.applicationId}/reject`, { reason });
    refusing.value = null;
    again();
  });
  return (
    <section class="stack" aria-label="Applications">
      <h1>Applications</h1>
      {reading.name === "failed" ? (
        <Failure error={reading.error} again={again} />
      ) : reading.name === "loading" ? (
        <Bones count={2} height={70} />
      ) : reading.value.applications.length === 0 ? (
        <Empty picture={<CheckIcon />} title="Nobody waits">
          New drivers and restaurants appear here.
        </Empty>
      ) : (
        <ul class="rows panel">
          {reading.value.applications.map((application) => (
            <li key={application.applicationId} class="between history-row">
              <span class="grow">
                <strong>{application.asks.restaurantName ?? application.name ?? "Somebody"}</strong>
                <span class="small soft block">
                  {capital(application.asks.role)}
                  {application.asks.vehicle === undefined ? "" : `, ${application.asks.vehicle}`} · since{" "}
                  {dayOf(application.since)}
                </span>
              </span>
              {mayDecide() && (
                <span class="row">
                  <Button kind="danger" size="little" onClick={() => (refusing.value = application)}>
                    Reject
                  </Button>
                  <Button
                    kind="good"
                    size="little"
                    busy={approving.busy}
                    onClick={() => void approving.run(application)}
                  >
                    Approve
                  </Button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {refusing.value !== null && (
        <ReasonSheet
          title="Reject this application"
          about="The person is told the reason."
          button="Reject"
          busy={rejecting.busy}
          onDone={(reason) => void rejecting.run(reason)}
          onClose={() => (refusing.value = null)}
        />
      )}
    </section>
  );
}

function FindAccount() {
  const email = useSignal("");
  const finding = useAction(async () => {
    found.value = null;
    found.value = await http.send<AccountView>("POST", "/v1/accounts/find", { email: email.value.trim() });
  });
  return (
    <section class="stack" aria-label="Find an account">
      <h2>Find an account</h2>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void finding.run();
        }}
      >
        <Field
          label="E-mail"
          type="email"
          required
          maxLength={254}
          value={email.value}
          onInput={(value) => (email.value = value)}
        />
        <Button type="submit" kind="secondary" busy={finding.busy}>
          <PeopleIcon /> Find
        </Button>
      </form>
      {found.value !== null && <Found person={found.value} />}
    </section>
  );
}

function Found({ person }: { readonly person: AccountView }) {
  const asking = useSignal(false);
  const banned = person.state === "banned";
  const deciding = useAction(async (reason: string) => {
    const path = `/v1/accounts/${person.accountId}/${banned ? "unban" : "ban"}`;
    found.value = await http.send<AccountView>("POST", path, { reason });
    asking.value = false;
    say(banned ? "The account is open again" : "The account is banned");
  });
  return (
    <div class="panel stack">
      <dl class="facts">
        <div>
          <dt>Name</dt>
          <dd>{person.name ?? "not given"}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd>{person.email ?? "erased"}</dd>
        </div>
        <div>
          <dt>Phone</dt>
          <dd>{person.phone ?? "not given"}</dd>
        </div>
        <div>
          <dt>Roles</dt>
          <dd>
            {person.roles.map(({ role, state }) => (state === "active" ? role : `${role} (${state})`)).join(", ")}
          </dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>{dayOf(person.createdAt)}</dd>
        </div>
        <div>
          <dt>State</dt>
          <dd>
            <span class={banned ? "chip bad" : "chip good"}>{capital(person.state)}</span>
          </dd>
        </div>
      </dl>
      {person.reason !== undefined && <p class="notice">{person.reason}</p>}
      {mayDecide() && person.state !== "erased" && (
        <Button kind={banned ? "secondary" : "danger"} onClick={() => (asking.value = true)}>
          {banned ? "Lift the ban" : "Ban this account"}
        </Button>
      )}
      {asking.value && (
        <ReasonSheet
          title={banned ? "Lift the ban" : "Ban this account"}
          about={
            banned ? "The person can sign in again." : "Sessions end and sockets close within seconds, on every node."
          }
          button={banned ? "Lift the ban" : "Ban"}
          busy={deciding.busy}
          onDone={(reason) => void deciding.run(reason)}
          onClose={() => (asking.value = false)}
        />
      )}
    </div>
  );
}
