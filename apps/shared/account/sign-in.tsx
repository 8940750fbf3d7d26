/** Signing in and up, for every app: what differs is the role, and what somebody without it is told. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Role } from "../../../sdk/mod.js";
import { useAction } from "../actions.js";
import { Button, Field, Segments } from "../kit/controls.js";
import { ClockIcon } from "../kit/icons.js";
import { failureText, hasCode } from "../words.js";
import { createAccount, enter, httpAs, openSession, type Person, type SessionReply } from "./session.js";

export interface SignInProps {
  /** The first that the account has is taken. */
  readonly roles: readonly Role[];
  readonly title: string;
  readonly about: string;
  /** What a newcomer asks to become, besides a customer; null where nobody signs up. */
  readonly newcomer: "customer" | "driver" | "restaurant" | null;
}

const PASSWORD_LENGTH = 10;

export function SignIn(props: SignInProps) {
  const mode = useSignal<"in" | "up">("in");
  const email = useSignal("");
  const password = useSignal("");
  const name = useSignal("");
  const problem = useSignal<string | null>(null);
  /** Signed in, but without the role: waiting for an answer, or not asked yet. */
  const applicant = useSignal<SessionReply | null>(null);
  const person = (): Person => ({ email: email.value.trim(), password: password.value });

  const fail = (error: unknown): void => {
    problem.value = hasCode(error, "wrong_credentials") ? "E-mail or password is not right." : failureText(error);
  };
  const entering = useAction(async () => {
    problem.value = null;
    try {
      await enter(await openSession(person(), props.roles));
    } catch (error) {
      const asks = props.newcomer === "driver" || props.newcomer === "restaurant";
      if (!hasCode(error, "role_missing") || !asks) throw error;
      applicant.value = await openSession(person(), ["customer"]);
    }
  }, fail);
  const creating = useAction(async () => {
    problem.value = null;
    if (password.value.length < PASSWORD_LENGTH) {
      problem.value = `The password needs at least ${PASSWORD_LENGTH} characters.`;
      return;
    }
    const reply = await createAccount(
      { ...person(), name: name.value.trim() },
      applicationOf(props.newcomer, name.value),
    );
    if (props.newcomer === "customer") await enter(reply);
    else applicant.value = reply;
  }, fail);

  if (applicant.value !== null) {
    return (
      <Applicant
        session={applicant.value}
        newcomer={props.newcomer!}
        busy={entering.busy}
        again={() => void entering.run()}
      />
    );
  }
  const up = mode.value === "up";
  return (
    <Framed>
      <h1>{props.title}</h1>
      <p class="soft">{props.about}</p>
      {props.newcomer !== null && (
        <Segments
          label="Sign in or create an account"
          value={mode.value}
          options={[
            { value: "in", label: "Sign in" },
            { value: "up", label: "New here" },
          ]}
          onChange={(next) => {
            mode.value = next;
            problem.value = null;
          }}
        />
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void (up ? creating : entering).run();
        }}
      >
        {up && (
          <Field
            label={props.newcomer === "restaurant" ? "Name of the restaurant" : "Name"}
            autocomplete={props.newcomer === "restaurant" ? "organization" : "name"}
            required
            maxLength={100}
            value={name.value}
            onInput={(value) => (name.value = value)}
          />
        )}
        <Field
          label="E-mail"
          type="email"
          name="email"
          autocomplete="username"
          required
          maxLength={254}
          value={email.value}
          onInput={(value) => (email.value = value)}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autocomplete={up ? "new-password" : "current-password"}
          required
          maxLength={256}
          {...(up ? { hint: `At least ${PASSWORD_LENGTH} characters` } : {})}
          value={password.value}
          onInput={(value) => (password.value = value)}
          problem={problem.value}
        />
        <Button type="submit" size="large" block busy={entering.busy || creating.busy}>
          {up ? "Create account" : "Sign in"}
        </Button>
      </form>
    </Framed>
  );
}

function Framed({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="center-page">
      <div class="center-card stack">{children}</div>
    </div>
  );
}

function applicationOf(newcomer: SignInProps["newcomer"], name: string): object | undefined {
  if (newcomer === "driver") return { role: "driver", vehicle: "scooter", documents: [] };
  if (newcomer === "restaurant") return { role: "restaurant", restaurantName: name.trim() };
  return undefined;
}

interface Roles {
  readonly roles: readonly { readonly role: Role; readonly state: string; readonly reason?: string }[];
}

/** Somebody who has an account, but not this role yet. */
function Applicant({
  session,
  newcomer,
  busy,
  again,
}: {
  readonly session: SessionReply;
  readonly newcomer: NonNullable<SignInProps["newcomer"]>;
  readonly busy: boolean;
  readonly again: () => void;
}) {
  const asked = useSignal(true);
  const checked = useSignal(false);
  const asking = useAction(async () => {
    const http = httpAs(session.accessToken);
    const me = await http.get<Roles & { readonly name?: string }>("/v1/me");
    const waits = me.roles.some(({ role, state }) => role === newcomer && (state === "applied" || state === "active"));
    if (!waits && checked.value) await http.send("POST", "/v1/me/applications", applicationOf(newcomer, me.name ?? ""));
    asked.value = waits || checked.value;
    checked.value = true;
  });
  useEffect(() => {
    void asking.run();
  }, []);
  const what = newcomer === "driver" ? "driver" : "restaurant";
  return (
    <Framed>
      <span class="notice info">
        <ClockIcon />
        <span>
          {!checked.value
            ? `Looking for your ${what} application.`
            : asked.value
              ? `Your ${what} application is being looked at.`
              : `This account is no ${what} yet.`}
        </span>
      </span>
      <h1>{!checked.value ? "One moment" : asked.value ? "Almost there" : "Join in"}</h1>
      {checked.value && (
        <p class="soft">
          {asked.value
            ? "We look at every application by hand. Come back in a while and sign in again."
            : "Send an application, and we look at it by hand."}
        </p>
      )}
      {!checked.value ? (
        <Button size="large" block busy={asking.busy} onClick={() => void asking.run()}>
          Try again
        </Button>
      ) : asked.value ? (
        <Button size="large" block busy={busy} onClick={again}>
          Check again
        </Button>
      ) : (
        <Button size="large" block busy={asking.busy} onClick={() => void asking.run()}>
          Apply
        </Button>
      )}
    </Framed>
  );
}
