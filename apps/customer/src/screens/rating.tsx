/** What the meal and its way were like: five stars for each, given once. */
import { useSignal } from "@preact/signals";
import { useAction } from "../../../shared/actions.js";
import { StarFilledIcon, StarIcon } from "../../../shared/kit/icons.js";
import { say } from "../../../shared/kit/toasts.js";
import { useReading } from "../../../shared/reading.js";
import { server } from "../store/server.js";

type Rated = "restaurant" | "driver";

interface Reviews {
  readonly reviews: readonly { readonly rated: string; readonly stars: number }[];
}

const STARS = [1, 2, 3, 4, 5];

export function Rating({
  orderId,
  restaurant,
  driver,
}: {
  readonly orderId: string;
  readonly restaurant: string;
  readonly driver: string | null;
}) {
  const path = `/v1/orders/${encodeURIComponent(orderId)}/reviews`;
  const { reading, again } = useReading((stop) => server().http.get<Reviews>(path, {}, stop), [orderId]);
  const rating = useAction(async (rated: Rated, stars: number) => {
    await server().http.send("POST", path, { rated, stars });
    say("Thank you");
    again();
  });
  if (reading.name !== "ready") return null;
  const given = (rated: Rated): number => reading.value.reviews.find((review) => review.rated === rated)?.stars ?? 0;
  const give = (rated: Rated) => (stars: number) => void rating.run(rated, stars);
  return (
    <section class="panel stack" aria-label="Your rating">
      <Row label={`How was ${restaurant}?`} given={given("restaurant")} busy={rating.busy} give={give("restaurant")} />
      {driver !== null && (
        <Row label={`How was ${driver}?`} given={given("driver")} busy={rating.busy} give={give("driver")} />
      )}
    </section>
  );
}

function Row({
  label,
  given,
  busy,
  give,
}: {
  readonly label: string;
  readonly given: number;
  readonly busy: boolean;
  readonly give: (stars: number) => void;
}) {
  const wished = useSignal(0);
  const shown = given === 0 ? wished.value : given;
  return (
    <fieldset class="rating">
      <legend class="strong">{label}</legend>
      <span class="stars">
        {STARS.map((stars) => (
          <button
            key={stars}
            type="button"
            aria-label={stars === 1 ? "1 star" : `${stars} stars`}
            aria-pressed={stars <= shown}
            disabled={busy || given > 0}
            onClick={() => {
              wished.value = stars;
              give(stars);
            }}
          >
            {stars <= shown ? <StarFilledIcon /> : <StarIcon />}
          </button>
        ))}
      </span>
    </fieldset>
  );
}
