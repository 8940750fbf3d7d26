/** Orders of before and of now, newest first. */
import { isTerminal, type OrderView } from "../../../../sdk/mod.js";
import { account } from "../../../shared/account/session.js";
import { formatMoney } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { FoodPicture } from "../../../shared/kit/food.js";
import { ForwardIcon, ReceiptIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { usePages } from "../../../shared/pages.js";
import { useFreshness } from "../../../shared/reading.js";
import { go } from "../../../shared/router.js";
import { dayOf, plural, STATUS_TITLE, timeOfDay } from "../../../shared/words.js";
import { server } from "../store/server.js";

const PAGE = 15;
/** What is under way moves while it is looked at. */
const MOVES_WITHIN_MS = 20_000;

export function Orders() {
  if (account.value === null) {
    return (
      <Empty
        picture={<ReceiptIcon />}
        title="Your orders"
        action={<Button onClick={() => go("account")}>Sign in</Button>}
      >
        Sign in to see what you have ordered.
      </Empty>
    );
  }
  return <History />;
}

function History() {
  const {
    reading,
    items: orders,
    again,
    refresh,
    more,
  } = usePages(async (before: number | undefined, stop) => {
    const page = await server().http.orders({ limit: PAGE, ...(before === undefined ? {} : { before }) }, stop);
    return { items: page.orders, next: page.nextBefore, about: null };
  }, []);
  useFreshness(refresh, MOVES_WITHIN_MS);
  if (reading === "failed") return <Failure error={more.error} again={again} />;
  if (reading === "loading") return <Bones count={4} height={84} />;
  if (orders.length === 0) {
    return (
      <Empty
        picture={<ReceiptIcon />}
        title="No orders yet"
        action={<Button onClick={() => go("")}>Find something good</Button>}
      >
        What you order will be kept here, with its receipt.
      </Empty>
    );
  }
  const present = orders.filter(({ status }) => !isTerminal(status));
  const past = orders.filter(({ status }) => isTerminal(status));
  return (
    <div class="stack wide narrow">
      {present.length > 0 && <List title="Under way" orders={present} />}
      {past.length > 0 && <List title="Past orders" orders={past} />}
      {more.more && (
        <Button kind="secondary" busy={more.busy} onClick={() => void more.run()}>
          Show more
        </Button>
      )}
    </div>
  );
}

function List({ title, orders }: { readonly title: string; readonly orders: readonly OrderView[] }) {
  return (
    <section class="stack">
      <h2>{title}</h2>
      <ul class="rows panel">
        {orders.map((order) => (
          <li key={order.orderId}>
            <button type="button" class="row-button" onClick={() => go(`order/${order.orderId}`)}>
              <span class="thumb">
                <FoodPicture name={order.lines[0]?.name ?? ""} also={order.restaurant.name} />
              </span>
              <span class="grow">
                <strong class="block">{order.restaurant.name}</strong>
                <span class="small soft block">
                  {plural(
                    order.lines.reduce((sum, line) => sum + line.quantity, 0),
                    "item",
                  )}{" "}
                  · {formatMoney(order.totals.totalMinor, order.totals.currency)} · {dayOf(order.placedAt)},{" "}
                  {timeOfDay(order.placedAt)}
                </span>
                {order.status !== "delivered" && (
                  <span class={isTerminal(order.status) ? "chip" : "chip info"}>{STATUS_TITLE[order.status]}</span>
                )}
              </span>
              <ForwardIcon />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
