/** The customer's app: which page is shown, and the tabs below. */

import { useEffect } from "preact/hooks";
import { AccountPage } from "../../shared/account/account-page.js";
import { account } from "../../shared/account/session.js";
import { BagIcon, BoltIcon, HomeIcon, PersonIcon, ReceiptIcon } from "../../shared/kit/icons.js";
import { ThemeButton } from "../../shared/kit/theme-button.js";
import { Toasts } from "../../shared/kit/toasts.js";
import { LineBanner } from "../../shared/line/banner.js";
import { News } from "../../shared/line/news.js";
import { goInstead, route } from "../../shared/router.js";
import { CartPage } from "./screens/cart.js";
import { Home } from "./screens/home.js";
import { OrderPage } from "./screens/order.js";
import { Orders } from "./screens/orders.js";
import { PlaceSheet } from "./screens/place-sheet.js";
import { Restaurant } from "./screens/restaurant.js";
import { portions } from "./store/cart.js";
import { server } from "./store/server.js";

export function App() {
  const signedIn = account.value !== null;
  useEffect(() => {
    // What is told to everybody comes by the line, also before somebody orders.
    if (signedIn) server();
  }, [signedIn]);
  const [page, purpose] = route.value;
  useEffect(() => {
    // Whoever signed in to order is at their order, not at their account.
    if (signedIn && page === "account" && purpose === "order") goInstead("cart");
  }, [signedIn, page, purpose]);
  return (
    <div class="with-tabs app">
      {account.value !== null && <LineBanner lost="What you see may be a little old." />}
      <header class="top-bar">
        <span class="logo">
          <BoltIcon />
        </span>
        <span class="title">Swift Eats</span>
        <ThemeButton />
      </header>
      <News />
      <main class="page">
        <Page />
      </main>
      <Tabs />
      <PlaceSheet />
      <Toasts />
    </div>
  );
}

function Page() {
  const [name, id] = route.value;
  switch (name) {
    case "restaurant":
      return id === undefined ? <Home /> : <Restaurant key={id} id={id} />;
    case "cart":
      return <CartPage />;
    case "orders":
      return <Orders />;
    case "order":
      return id === undefined ? <Orders /> : <OrderPage key={id} id={id} />;
    case "account":
      return <AccountPage app="customer" />;
    default:
      return <Home />;
  }
}

function Tabs() {
  const [name] = route.value;
  const current = (names: readonly (string | undefined)[]) =>
    names.includes(name) ? ({ "aria-current": "page" } as const) : {};
  return (
    <nav class="tab-bar" aria-label="Main">
      <a href="#/" {...current([undefined, "restaurant"])}>
        <HomeIcon />
        Discover
      </a>
      <a href="#/cart" {...current(["cart"])}>
        <BagIcon />
        Order
        {portions.value > 0 && <span class="count-mark">{portions.value}</span>}
      </a>
      <a href="#/orders" {...current(["orders", "order"])}>
        <ReceiptIcon />
        History
      </a>
      <a href="#/account" {...current(["account"])}>
        <PersonIcon />
        Account
      </a>
    </nav>
  );
}
