/** What the meal and its way were like: five stars for each and a word, given once. */
import { useSignal } from "@preact/signals";
import { useAction } from "../../../shared/actions.js";
import { Button, Field } from "../../../shared/kit/controls.js";
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
  const wished = { restaurant: useSignal(0), driver: useSignal(0) };
  const words = useSignal("");
  const given = (rated: Rated): number =>
    reading.name === "ready" ? (reading.value.reviews.find((review) => review.rated === rated)?.stars ?? 0) : 0;
  const toSend = (["restaurant", "driver"] as const).filter((rated) => given(rated) === 0 && wished[rated].value > 0);
  const sending = useAction(async () => {
    const text = words.value.trim();
    try {
      for (const rated of toSend) {
        const word = rated === "restaurant" && text !== "" ? { text } : {};
        await server().http.send("POST", path, { rated, stars: wished[rated].value, ...word });
      }
      say("Thank you");
    } finally {
      // What has arrived is given, also when the other has not.
      again();
    }
  });
  if (reading.name !== "ready") return null;
  const row = (rated: Rated, name: string) => (
    <Row
      label={`How was ${name}?`}
      shown={given(rated) === 0 ? wished[rated].value : given(rated)}
      fixed={given(rated) > 0 || sending.busy}
      choose={(stars) => (wished[rated].value = stars)}
    />
  );
  return (
    <section class="panel stack" aria-label="Your rating">
      {row("restaurant", restaurant)}
      {driver !== null && row("driver", driver)}
      {toSend.length > 0 && (
        <>
          {toSend.includes("restaurant") && (
            <Field
              label="A word about the food"
              placeholder="If you like. Everybody can read it."
              multiline
              maxLength={1000}
              value={words.value}
              onInput={(value) => (words.value = value)}
            />
          )}
          <Button block busy={sending.busy} onClick={() => void sending.run()}>
            Send
          </Button>
        </>
      )}
    </section>
  );
}

function Row({
  label,
  shown,
  fixed,
  choose,
}: {
  readonly label: string;
  readonly shown: number;
  /** Given already. */
  readonly fixed: boolean;
  readonly choose: (stars: number) => void;
}) {
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
            disabled={fixed}
            onClick={() => choose(stars)}
          >
            {stars <= shown ? <StarFilledIcon /> : <StarIcon />}
          </button>
        ))}
      </span>
    </fieldset>
  );
}
