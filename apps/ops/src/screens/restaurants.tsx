/** Restaurants that wait to be looked at, or were taken off the list; and the way to take one off. */
import { useSignal } from "@preact/signals";
import { account, http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { Button } from "../../../shared/kit/controls.js";
import { StoreIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { useReading } from "../../../shared/reading.js";
import { dayOf, plural } from "../../../shared/words.js";
import { server } from "../store/city.js";
import { ReasonSheet } from "./reason-sheet.js";

interface Unlisted {
  readonly restaurants: readonly {
    readonly restaurantId: string;
    readonly name: string;
    readonly status: "draft" | "verified" | "suspended";
    readonly address?: string;
    readonly items: number;
    readonly at: number;
  }[];
}

const mayDecide = (): boolean => account.value?.role === "admin";

export function Restaurants() {
  // Those that wait come first, however many were suspended since.
  const { reading, again } = useReading(async (stop) => {
    const read = (status: string) => http.get<Unlisted>("/v1/admin/restaurants", { status, limit: 50 }, stop);
    const [drafts, suspended] = await Promise.all([read("draft"), read("suspended")]);
    return { restaurants: [...drafts.restaurants, ...suspended.restaurants] };
  }, []);
  const listing = useSignal<Unlisted["restaurants"][number] | null>(null);
  const verifying = useAction(async (reason: string) => {
    const { restaurantId } = listing.value!;
    await server().command("restaurant.status", { restaurantId, status: "verified", reason });
    listing.value = null;
    say("It is on the list");
    again();
  });
  return (
    <section class="stack" aria-label="Restaurants">
      <h2>Restaurants to look at</h2>
      {reading.name === "failed" ? (
        <Failure error={reading.error} again={again} />
      ) : reading.name === "loading" ? (
        <Bones count={2} height={70} />
      ) : reading.value.restaurants.length === 0 ? (
        <Empty picture={<StoreIcon />} title="All are listed">
          New restaurants appear here, and those that were suspended.
        </Empty>
      ) : (
        <ul class="rows panel">
          {reading.value.restaurants.map((restaurant) => (
            <li key={restaurant.restaurantId} class="between history-row">
              <span class="grow">
                <strong>{restaurant.name}</strong>
                <span class="small soft block">
                  {restaurant.address ?? "By its place on the map"} · {plural(restaurant.items, "dish", "dishes")} ·{" "}
                  {dayOf(restaurant.at)}
                </span>
              </span>
              <span class={restaurant.status === "suspended" ? "chip bad" : "chip busy"}>
                {restaurant.status === "suspended" ? "Suspended" : "New"}
              </span>
              {mayDecide() && (
                <Button kind="good" size="little" onClick={() => (listing.value = restaurant)}>
                  List it
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {listing.value !== null && (
        <ReasonSheet
          title={`List ${listing.value.name}`}
          about="It is found at once by everybody to whom it delivers."
          button="List it"
          busy={verifying.busy}
          onDone={(reason) => void verifying.run(reason)}
          onClose={() => (listing.value = null)}
        />
      )}
    </section>
  );
}

/** For an order's card: the restaurant behind it takes no more orders. */
export function Suspend({ restaurantId, name }: { readonly restaurantId: string; readonly name: string }) {
  const asking = useSignal(false);
  const suspending = useAction(async (reason: string) => {
    await server().command("restaurant.status", { restaurantId, status: "suspended", reason });
    asking.value = false;
    say(`${name} takes no more orders`);
  });
  if (!mayDecide()) return null;
  return (
    <>
      <Button kind="danger" size="little" onClick={() => (asking.value = true)}>
        Suspend the restaurant
      </Button>
      {asking.value && (
        <ReasonSheet
          title={`Suspend ${name}`}
          about="It leaves every list within seconds. Orders that it has taken go on."
          button="Suspend"
          busy={suspending.busy}
          onDone={(reason) => void suspending.run(reason)}
          onClose={() => (asking.value = false)}
        />
      )}
    </>
  );
}
