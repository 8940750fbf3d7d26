/** What others say of a restaurant, newest first. */
import { Button } from "../../../shared/kit/controls.js";
import { StarFilledIcon } from "../../../shared/kit/icons.js";
import { usePages } from "../../../shared/pages.js";
import { dayOf, plural } from "../../../shared/words.js";
import { open } from "../store/server.js";

interface Reviews {
  readonly rating: { readonly average: number; readonly count: number };
  readonly reviews: readonly {
    readonly reviewId: string;
    readonly stars: number;
    readonly text: string;
    readonly at: number;
  }[];
  readonly next?: string;
}

const PAGE = 5;

export function ReviewsOf({ restaurantId }: { readonly restaurantId: string }) {
  const { items, about, more } = usePages(
    (cursor: string | undefined, stop) =>
      open
        .get<Reviews>(`/v1/restaurants/${encodeURIComponent(restaurantId)}/reviews`, { limit: PAGE, cursor }, stop)
        .then(({ reviews, next, rating }) => ({ items: reviews, next, about: rating })),
    [restaurantId],
  );
  // A menu is worth showing without them.
  if (about === null || about.count === 0) return null;
  return (
    <section class="stack" aria-label="Reviews">
      <div class="row">
        <h2>Reviews</h2>
        <span class="chip">
          <StarFilledIcon /> {about.average.toFixed(1)} <span class="soft">({plural(about.count, "rating")})</span>
        </span>
      </div>
      <ul class="rows panel">
        {items.map(({ reviewId, stars, text, at }) => (
          <li key={reviewId} class="review">
            <div class="between">
              <span class="chip">
                <StarFilledIcon /> {stars}
                <span class="visually-hidden">of 5 stars</span>
              </span>
              <span class="small soft">{dayOf(at)}</span>
            </div>
            {text !== "" && <p dir="auto">{text}</p>}
          </li>
        ))}
      </ul>
      {more.more && (
        <Button kind="secondary" busy={more.busy} onClick={() => void more.run()}>
          Show more
        </Button>
      )}
    </section>
  );
}
