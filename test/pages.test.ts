/**
 * Every page of the four apps in both themes, what each weighs, and what people do beside one order: keep an address, order
 * for later, tell everybody, decide who drives, cancel, ban. And the client in a page of five lines.
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
  type Stage,
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

async function placeOne({ url, town }: Stage, key: string): Promise<string> {
  const http = createHttp({ url, token: await tokenOf(url, town.customer, "customer") });
  const order = {
    restaurantId: town.kitchen.id,
    lines: [{ itemId: "pesto", quantity: 1, unitPriceMinor: 1100 }],
    destination: { ...town.door, address: "5 Vico Prova" },
    currency: "EUR",
  };
  return (await http.placeOrder(order, { idempotencyKey: key })).orderId;
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

  const [first, second] = [await placeOne(stage, "first"), await placeOne(stage, "second")];
  await t.test(
    "R-ADM-2 R-DSP-6: an operator decides who drives, and cancels with a reason that the customer is told",
    async (t) => {
      await press(driver, "Start shift");
      await shows(driver, "Looking for a trip");
      await kitchen.page.getByRole("button", { name: "Accept" }).first().click();
      await kitchen.page.getByRole("button", { name: "Accept" }).first().click();
      await kitchen.page.getByRole("button", { name: "Ready" }).nth(1).waitFor();
      await visit(ops, "City");
      // The address of a chosen order is its own: operators pass it on.
      await ops.page.goto(`${ops.line.url}/ops#/order/${first}`);
      await press(ops, "Assign a driver");
      await ops.page.getByRole("radio").first().check();
      await ops.page.getByLabel("Reason").fill("Knows the house");
      t.strictSame(await faults(ops), [], "who drives");
      await press(ops, "Ask this driver");
      await driver.page.getByRole("button", { name: "Accept" }).waitFor();
      await press(driver, "Accept");
      await driver.page.getByRole("button", { name: "I have arrived" }).waitFor();
      await shows(ops, "by a person");
      await ops.page.goto(`${ops.line.url}/ops#/order/${second}`);
      await press(ops, /^Cancel$/);
      await ops.page.getByLabel("Reason").fill("The customer called");
      await press(ops, "Cancel the order");
      await shows(ops, "The order is cancelled");
      await customer.page.goto(`${customer.line.url}/customer#/order/${second}`);
      await shows(customer, "The customer called");
    },
  );

  await t.test("R-COM-1: a customer who needs help and an agent talk", async (t) => {
    await customer.page.goto(`${customer.line.url}/customer#/order/${first}`);
    await press(customer, "Help");
    await customer.page.getByRole("textbox", { name: "Message" }).fill("Could you ring twice?");
    await press(customer, "Send");
    await visit(ops, "Support");
    await press(ops, /Could you ring twice/);
    await press(ops, "Take it");
    await ops.page.getByRole("textbox", { name: "Message" }).fill("The driver will.");
    await press(ops, "Send");
    await shows(customer, "The driver will.");
    t.strictSame(await faults(customer), [], "a conversation");
    t.strictSame(await faults(ops), [], "an agent's desk");
    await press(ops, /^Resolved$/);
    await shows(customer, "Resolved");
    await customer.page.keyboard.press("Escape");
  });

  await t.test("R-PRO-4: every page, by day and by night, has no serious accessibility fault", async (t) => {
    const { id } = town.kitchen;
    await Promise.all([
      inspect(t, customer, ["", `restaurant/${id}`, "cart", "orders", `order/${first}`, `order/${second}`, "account"]),
      inspect(t, driver, ["", "earnings", "account"]),
      inspect(t, kitchen, ["", "menu", "settings"]),
      inspect(t, ops, ["", `order/${first}`, "people", "support", "nodes", "news", "audit", "account"]),
    ]);
  });

  await t.test(
    "R-TRK-1 R-PRO-3: where no socket comes through, a stream brings the order and HTTP takes commands",
    async (t) => {
      const desk = await stage.open("customer", town.door, false);
      desk.line.upgrades = false;
      await visit(desk, "Account");
      await signIn(desk, town.customer);
      await desk.page.goto(`${desk.line.url}/customer#/order/${first}`);
      await shows(desk, "Slow connection");
      await shows(desk, "Dario Autista");
      await press(desk, "Cancel this order");
      await press(desk, "I changed my mind");
      await shows(desk, "I changed my mind");
      await shows(driver, "Looking for a trip");
      const asked = (end: string): boolean => desk.line.seen.some((path) => path.endsWith(end));
      t.ok(asked(`/${first}/events`), "the stream");
      t.notOk(asked(`/${first}/track`), "no polls");
      t.ok(asked("/v1/commands/order.cancel"), "the command");
      await desk.context.close();
    },
  );

  await t.test("R-ADM-2: a ban reaches the open page of who is banned, and its reason stays", async (t) => {
    await visit(ops, "People");
    await ops.page.getByLabel("E-mail").fill(town.driver.email);
    await press(ops, /^Find/);
    await press(ops, "Ban this account");
    await ops.page.getByLabel("Reason").fill("Fraud");
    await press(ops, /^Ban$/);
    await shows(ops, "The account is banned");
    await visit(ops, "Audit");
    await shows(ops, "Fraud");
    await driver.page.getByLabel("Password").waitFor();
    await signInRefused(driver, town.driver);
    t.pass("signed out, and kept out");
  });
});

async function signInRefused(screen: Screen, { email, password }: Townsman): Promise<void> {
  await screen.page.getByLabel("E-mail").fill(email);
  await screen.page.getByLabel("Password").fill(password);
  await screen.page.getByRole("button", { name: "Sign in" }).last().click();
  await shows(screen, /This account has been closed/);
}
