/** The operations page. */
import { useEffect } from "preact/hooks";
import { AccountPage } from "../../shared/account/account-page.js";
import { account } from "../../shared/account/session.js";
import {
  BellIcon,
  BoltIcon,
  ChatIcon,
  PeopleIcon,
  PersonIcon,
  PinIcon,
  ReceiptIcon,
  ServerIcon,
} from "../../shared/kit/icons.js";
import { ThemeButton } from "../../shared/kit/theme-button.js";
import { Toasts } from "../../shared/kit/toasts.js";
import { LineBanner } from "../../shared/line/banner.js";
import { News } from "../../shared/line/news.js";
import { route } from "../../shared/router.js";
import { AuditPage } from "./screens/audit-page.js";
import { CityPage } from "./screens/city-page.js";
import { LettersPage } from "./screens/letters-page.js";
import { NewsPage } from "./screens/news-page.js";
import { NodesPage } from "./screens/nodes-page.js";
import { PeoplePage } from "./screens/people-page.js";
import { SupportPage } from "./screens/support-page.js";
import { select, selection, startCity } from "./store/city.js";

const PAGES = [
  { name: undefined, title: "City", icon: PinIcon },
  { name: "support", title: "Support", icon: ChatIcon },
  { name: "people", title: "People", icon: PeopleIcon },
  { name: "nodes", title: "Nodes", icon: ServerIcon },
  { name: "news", title: "News", icon: BellIcon },
  { name: "audit", title: "Audit", icon: ReceiptIcon },
  { name: "account", title: "Account", icon: PersonIcon },
] as const;

/** One order or driver is chosen in the city, too. */
const isCity = (name: string | undefined): boolean => name === undefined || name === "order" || name === "driver";
/** What was put aside is reached from the machines. */
const tabOf = (name: string | undefined): string | undefined =>
  isCity(name) ? undefined : name === "letters" ? "nodes" : name;

export function App() {
  const me = account.value;
  useEffect(() => {
    if (me !== null) void startCity();
  }, [me]);
  useEffect(() => {
    const closeCard = (event: KeyboardEvent): void => {
      const chosen = selection.peek() !== null && document.querySelector("dialog[open]") === null;
      if (event.key === "Escape" && chosen) select(null);
    };
    addEventListener("keydown", closeCard);
    return () => removeEventListener("keydown", closeCard);
  }, []);
  const [name] = route.value;
  return (
    <div class={me === null ? "app" : "with-tabs app"}>
      {me !== null && <LineBanner lost="The picture is as it was." />}
      <header class="top-bar">
        <span class="logo">
          <BoltIcon />
        </span>
        <span class="title">Operations</span>
        <ThemeButton />
      </header>
      <News />
      <main class={me !== null && isCity(name) ? "page full" : "page"}>
        {me === null ? <AccountPage app="support" /> : <Page name={name} />}
      </main>
      {me !== null && (
        <nav class="tab-bar" aria-label="Main">
          {PAGES.map(({ name: page, title, icon: Icon }) => (
            <a
              key={title}
              href={`#/${page ?? ""}`}
              {...(page === tabOf(name) ? { "aria-current": "page" as const } : {})}
            >
              <Icon />
              {title}
            </a>
          ))}
        </nav>
      )}
      <Toasts />
    </div>
  );
}

function Page({ name }: { readonly name: string | undefined }) {
  switch (name) {
    case "support":
      return <SupportPage />;
    case "people":
      return <PeoplePage />;
    case "nodes":
      return <NodesPage />;
    case "letters":
      return <LettersPage />;
    case "news":
      return <NewsPage />;
    case "audit":
      return <AuditPage />;
    case "account":
      return <AccountPage app="support" />;
    default:
      return <CityPage />;
  }
}
