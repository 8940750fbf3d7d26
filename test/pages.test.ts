/**
 * The pages of the four apps as they open, in both themes, what each weighs, and what people do beside one order: keep an
 * address, order for later, tell everybody. And the client in a page of five lines.
 */
import t, { type Test } from "tap";
import { createHttp } from "../sdk/node.js";
import { missingBrowser } from "./support/browser.js";
import {
  APPS,
  connected,
  drawn,
  faults,
  holds,
  press,
  type Screen,
  setStage,
  shows,
  signIn,
  visit,
} from "./support/screens.js";
import type { Townsman } from "./support/town.js";

const TIMEOUT_MS = 290_000;
/** First load without the map, as it travels: compressed. */
const MOST_FIRST_LOAD_BYTES = 300_000;

// What runs in the page is text: this program knows no pages.
const LOADED_BYTES = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(({ name }) => !/maplibre|trip-drawing|city-view/.test(name))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;
const MANIFEST = `fetch(document.querySelector('link[rel="manifest"]').href).then((answer) => answer.json())`;
const QUIET = `document.querySelector(".bone, .spinner") === null`;
const theme = (name: string): string => `document.documentElement.dataset.theme = ${JSON.stringify(name)}`;

async function tokenOf(url: string, { email, password }: Townsman, role: string): Promise<string> {
  const session = await createHttp({ url }).send<{ readonly accessToken: string }>("POST", "/v1/auth/sign-in", {
    email,
    password,
    role,
  });
  return session.accessToken;
}

/** Each page with what it holds once it has loaded, by day and by night. */
async function inspect(t: Test, screen: Screen, routes: readonly string[]): Promise<void> {
  const { page, app } = screen;
  for (const route of routes) {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${route}`)}`);
    // The page of the route is drawn with the next frame; what it reads is there when nothing grey is left.
    await drawn(screen);
    await holds(screen, QUIET);
    for (const name of ["light", "dark"]) {
      await page.evaluate(theme(name));
      t.strictSame(await faults(screen), [], `${app}/${route}, ${name}: no serious accessibility fault`);
    }
  }
}

t.test("R-PRO-4: the pages of the four apps", { timeout: TIMEOUT_MS, skip: missingBrowser() }, async (t) => {
  const stage = await setStage(t);
  const { town, url } = stage;
  const [customer, driver, kitchen, ops] = await Promise.all([
    stage.open("customer", town.door),
    stage.open("driver", town.square),
    stage.open("restaurant", town.square, false),
    stage.open("ops", town.square, false),
  ]);
  const screens = [customer, driver, kitchen, ops];

  await t.test("R-PRO-4: each is small, has an app's manifest, and no serious accessibility fault", async (t) => {
    for (const screen of screens) {
      const { page, app, line } = screen;
      await page.waitForLoadState("load");
      const bytes = await page.evaluate<number>(LOADED_BYTES);
      t.ok(bytes > 10_000 && bytes < MOST_FIRST_LOAD_BYTES, `${app} loads ${bytes} bytes`);
      const manifest = await page.evaluate<{ scope: string; icons: { src: string }[] }>(MANIFEST);
      t.equal(manifest.scope, `/${app}`);
      for (const { src } of manifest.icons) t.ok((await page.request.get(line.url + src)).ok(), src);
      await inspect(t, screen, app === "customer" ? ["", "account"] : [""]);
    }
    t.equal(screens.length, APPS.length);
  });

  await t.test("R-PRO-3: the client works in a page of five lines", async (t) => {
    const token = await tokenOf(url, town.customer, "customer");
    const body = `<!doctype html>
<title>Five lines</title><h1>Connecting</h1>
<script type="module">import { createClient } from "/sdk/swift-eats.js";
const client = createClient({ url: location.origin, token: ${JSON.stringify(token)} }); await client.ready();
document.querySelector("h1").textContent = (await client.http.menu("${town.kitchen.id}")).name + ", " + client.state.name;</script>`;
    const page = await customer.context.newPage();
    page.on("pageerror", (error) => t.fail(error.message));
    page.on("console", (message) => t.comment(message.text()));
    customer.line.serve("/five-lines", body);
    await page.goto(`${customer.line.url}/five-lines`);
    await page.getByText("Trattoria Prova, live").waitFor();
    await page.close();
    t.pass("connected");
  });

  await visit(customer, "Account");
  await Promise.all([
    signIn(customer, town.customer),
    signIn(driver, town.driver),
    signIn(kitchen, town.kitchen),
    signIn(ops, town.operator),
  ]);

  await t.test("R-ACC-1 R-ORD-7: an address is kept, and a meal ordered for later", async (t) => {
    await visit(customer, "Discover");
    await press(customer, "Set your address");
    await press(customer, "Use where I am");
    await customer.page.getByLabel("Address and door").fill("5 Vico Prova");
    await customer.page.getByLabel("Keep this address").check();
    await customer.page.getByLabel("Name of it").fill("My sister");
    await press(customer, "Deliver here");
    await shows(customer, "The address is kept");
    await press(customer, /Deliver to/);
    await press(customer, /My sister/);
    await press(customer, /Trattoria Prova/);
    await press(customer, /^Trofie al pesto/);
    await press(customer, /^Add/);
    await press(customer, /View your order/);
    await press(customer, "Later");
    const time = customer.page.getByLabel("Time");
    await customer.page.getByLabel("Day").selectOption({ index: 1 });
    const chosen = await time.inputValue();
    await holds(customer, QUIET);
    t.strictSame(await faults(customer), [], "an order for later");
    await press(customer, /^Place order/);
    await shows(customer, "Planned for");
    const orderId = new URL(customer.page.url()).hash.split("/").at(-1)!;
    const http = createHttp({ url, token: await tokenOf(url, town.customer, "customer") });
    t.equal((await http.order(orderId)).deliverAt, Number(chosen), "the node has the time that was chosen");
    t.equal(await kitchen.page.locator(".ticket").count(), 0, "the kitchen hears of it when it is time to cook");
  });

  await t.test(
    "R-COM-2: what is told to everybody is shown, put away on one device, and taken back from all",
    async (t) => {
      await visit(ops, "News");
      await press(ops, "Write one");
      await ops.page.getByLabel("Title").fill("Storm tonight");
      await ops.page.getByLabel("Text").fill("Deliveries take longer. Stay safe.");
      await press(ops, "Mind this");
      await press(ops, "Tell now");
      for (const screen of screens) await screen.page.locator(".news").getByText("Storm tonight").waitFor();
      t.strictSame(await faults(customer), [], "a page with an announcement");
      await press(customer, "Put away: Storm tonight");
      await customer.page.reload();
      await customer.page.locator(".tracking").waitFor();
      await connected(customer);
      t.equal(await customer.page.getByText("Storm tonight").count(), 0, "put away for good");
      await press(ops, "Take back");
      await ops.page.getByLabel("Reason").fill("It has passed");
      await press(ops, "Take it back");
      await shows(ops, "Taken back");
      for (const screen of screens) await screen.page.locator(".news").waitFor({ state: "detached" });
    },
  );
});
