/** The account: who is signed in, what is kept of them, and the way out. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { telephoneOf } from "../../../src/lib/written-numbers.js";
import { useAction } from "../actions.js";
import { Button, Field } from "../kit/controls.js";
import { ExitIcon, PlusIcon, TrashIcon } from "../kit/icons.js";
import { Bones, Failure } from "../kit/states.js";
import { say } from "../kit/toasts.js";
import { installPrompt } from "../pwa/install.js";
import { useReading } from "../reading.js";
import { account, http, renamed, signOut } from "./session.js";
import { SignIn, type SignInProps } from "./sign-in.js";

const SIGN_IN: Readonly<Record<"customer" | "driver" | "restaurant" | "support", SignInProps>> = {
  customer: {
    roles: ["customer"],
    title: "Welcome",
    about: "Sign in to order and to follow your food.",
    newcomer: "customer",
  },
  driver: {
    roles: ["driver"],
    title: "Drive with us",
    about: "Your trips, your stops, your pay.",
    newcomer: "driver",
  },
  restaurant: {
    roles: ["restaurant"],
    title: "Your kitchen",
    about: "Orders as they come in, and nothing missed.",
    newcomer: "restaurant",
  },
  support: {
    roles: ["admin", "support"],
    title: "Operations",
    about: "For support and administrators. Everything done here is written down with its reason.",
    newcomer: null,
  },
};

export interface MeView {
  readonly email: string;
  readonly name?: string;
  readonly phone?: string;
  readonly consents: readonly { readonly given: boolean; readonly at: number }[];
  readonly addresses: readonly {
    readonly addressId: string;
    readonly label: string;
    readonly text: string;
    readonly note?: string;
    readonly lat: number;
    readonly lng: number;
  }[];
}

export function AccountPage({ app }: { readonly app: keyof typeof SIGN_IN }) {
  if (account.value === null) return <SignIn {...SIGN_IN[app]} />;
  return <Profile />;
}

function Profile() {
  const me = account.value!;
  const { reading, again } = useReading((stop) => http.get<MeView>("/v1/me", {}, stop), [me.accountId]);
  const leaving = useAction(signOut);
  const leavingAll = useAction(async () => {
    await http.send("POST", "/v1/auth/sign-out-everywhere", {});
    await signOut();
  });
  const installing = installPrompt.value;
  return (
    <div class="stack wide narrow">
      {reading.name === "failed" ? (
        <Failure error={reading.error} again={again} />
      ) : reading.name === "loading" ? (
        <Bones count={2} height={120} />
      ) : (
        <>
          <Person me={reading.value} again={again} />
          {me.role === "customer" && <Addresses me={reading.value} again={again} />}
          {me.role === "driver" && reading.value.consents.at(-1)?.given === true && <Consent again={again} />}
        </>
      )}
      <section class="panel stack" aria-label="This device">
        {installing !== null && (
          <Button kind="secondary" onClick={() => void installing.prompt()}>
            <PlusIcon /> Put the app on this device
          </Button>
        )}
        <Button kind="secondary" busy={leaving.busy} onClick={() => void leaving.run()}>
          <ExitIcon /> Sign out
        </Button>
        <Button kind="plain" busy={leavingAll.busy} onClick={() => void leavingAll.run()}>
          Sign out on all devices
        </Button>
      </section>
    </div>
  );
}

function Person({ me, again }: { readonly me: MeView; readonly again: () => void }) {
  const name = useSignal(me.name ?? "");
  const phone = useSignal(me.phone ?? "");
  useEffect(() => {
    name.value = me.name ?? "";
    phone.value = me.phone ?? "";
  }, [me]);
  const changed = name.value.trim() !== (me.name ?? "") || phone.value.trim() !== (me.phone ?? "");
  const saving = useAction(async () => {
    const number = phone.value.trim() === "" ? "" : telephoneOf(phone.value);
    // Left out it would be removed.
    if (number === null) throw new Error("Write the number with its country's code, for example +39 010 555 0100.");
    await http.send("PUT", "/v1/me", {
      ...(name.value.trim() === "" ? {} : { name: name.value.trim() }),
      ...(number === "" ? {} : { phone: number }),
    });
    renamed(name.value.trim() === "" ? me.email : name.value.trim());
    say("Saved");
    again();
  });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void saving.run();
      }}
    >
      <div>
        <h1>{me.name ?? "Your account"}</h1>
        <p class="soft">{me.email}</p>
      </div>
      <Field
        label="Name"
        autocomplete="name"
        maxLength={100}
        value={name.value}
        onInput={(value) => (name.value = value)}
      />
      <Field
        label="Phone"
        type="tel"
        autocomplete="tel"
        hint="With the country's code, for example +39 010 555 0100"
        maxLength={24}
        value={phone.value}
        onInput={(value) => (phone.value = value)}
      />
      {changed && (
        <Button type="submit" busy={saving.busy}>
          Save
        </Button>
      )}
    </form>
  );
}

/** Given with the start of a shift; until the next one the node takes no position. */
function Consent({ again }: { readonly again: () => void }) {
  const withdrawing = useAction(async () => {
    await http.send("PUT", "/v1/me/consents/location", { given: false });
    say("Withdrawn");
    again();
  });
  return (
    <section class="panel stack" aria-label="Location">
      <p class="small soft">You consent to be located while you are on shift.</p>
      <Button kind="secondary" busy={withdrawing.busy} onClick={() => void withdrawing.run()}>
        Withdraw this consent
      </Button>
    </section>
  );
}

function Addresses({ me, again }: { readonly me: MeView; readonly again: () => void }) {
  const removing = useAction(async (addressId: string) => {
    await http.send("DELETE", `/v1/me/addresses/${encodeURIComponent(addressId)}`);
    again();
  });
  if (me.addresses.length === 0) return null;
  return (
    <section class="stack" aria-label="Addresses">
      <h2>Addresses</h2>
      <ul class="rows panel">
        {me.addresses.map((address) => (
          <li key={address.addressId} class="between">
            <span class="grow">
              <strong>{address.label}</strong>
              <span class="small soft block">
                <bdi>{address.text}</bdi>
              </span>
            </span>
            <button
              type="button"
              class="icon-button"
              aria-label={`Forget ${address.label}`}
              onClick={() => void removing.run(address.addressId)}
            >
              <TrashIcon />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
