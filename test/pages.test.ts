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
  until,
  visit,
} from "./support/screens.js";
import { MENU, type Townsman } from "./support/town.js";

const TIMEOUT_MS = 290_000;
/** First load without the map, as it travels: compressed. */
const MOST_FIRST_LOAD_BYTES = 300_000;

// What runs in the page is text: this program knows no pages.
const LOADED_BYTES = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(({ name }) => !/maplibre|trip-drawing|city-view/.test(name))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;
const MANIFEST = `fetch(document.querySelector('link[rel="manifest"]').href).then((answer) => answer.json())`;
const QUIET = `document.querySelector(".bone, .spinner") === null`;
const FITS = `document.documentElement.scrollWidth <= innerWidth &&
  [...document.querySelectorAll(".segments")].every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth) &&
  [...document.querySelectorAll("h1")].every((name) => {
    const words = document.createRange();
    words.selectNodeContents(name);
    return /\\s/.test(name.textContent) || words.getClientRects().length <= 1;
  })`;
/** Three of one dish and two of another, in a script that is written from right to left. */
const NOTE = "3 شاورما و 2 كباب";
const BEGINS_AT_THE_RIGHT = `{
  const text = document.querySelector(".ticket .notice").firstChild;
  const [three, first] = [0, 2].map((at) => {
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().left;
  });
  three > first;
}`;
const CODE = "NO-SUCH-CODE";
/** As fast as somebody can. */
const TYPES_A_CODE = `(async () => {
  const field = document.querySelector('input[placeholder="If you have one"]');
  for (let typed = 1; typed <= "${CODE}".length; typed++) {
    field.value = "${CODE}".slice(0, typed);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((shown) => requestAnimationFrame(shown));
  }
})()`;
const DEVICE = `sessionStorage.getItem("swift-eats.customer.device")`;
const LEFT_BEHIND = `Object.keys(localStorage).filter((key) => /\\.(cart|place)/.test(key))`;
/** The telephones that most people have who have a small one, and the smallest that are sold. */
const NARROW = [360, 320];
const theme = (name: string): string => `document.documentElement.dataset.theme = ${JSON.stringify(name)}`;

async function tokenOf(url: string, { email, password }: Townsman, role: string): Promise<string> {
  const session = await createHttp({ url }).send<{ readonly accessToken: string }>("POST", "/v1/auth/sign-in", {
    email,
    password,
    role,
  });
  return session.accessToken;
}

/** Each page with what it holds once it has loaded, by day and by night, and on the narrowest screen. */
async function inspect(t: Test, screen: Screen, routes: readonly string[]): Promise<void> {
  const { page, app } = screen;
  const usual = page.viewportSize()!;
  for (const route of routes) {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/${route}`)}`);
    // The page of the route is drawn with the next frame; what it reads is there when nothing grey is left.
    await drawn(screen);
    await holds(screen, QUIET);
    await page.evaluate(theme("light"));
    t.strictSame(await faults(screen), [], `${app}/${route}: no serious accessibility fault`);
    await page.evaluate(theme("dark"));
    t.strictSame(await faults(screen, "colours"), [], `${app}/${route}: nor by night`);
    t.ok(await page.evaluate(FITS), `${app}/${route}: nothing sticks out`);
    for (const width of NARROW) {
      await page.setViewportSize({ width, height: 640 });
      await drawn(screen);
      t.ok(await page.evaluate(FITS), `${app}/${route}: nor where it is ${width} pixels wide`);
    }
    await page.setViewportSize(usual);
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
    await customer.page.getByLabel("Address and door").fill("Nowhere at all 9999");
    await press(customer, "Find it on the map");
    await customer.page.locator("dialog .toast").waitFor();
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

  await t.test("R-ORD-1: a refused order can be placed again, and one whose answer is lost is made once", async (t) => {
    const http = createHttp({ url, token: await tokenOf(url, town.customer, "customer") });
    const cook = createHttp({ url, token: await tokenOf(url, town.kitchen, "restaurant") });
    const open = async () => (await http.menu(town.kitchen.id)).open;
    await visit(customer, "Discover");
    await press(customer, /Trattoria Prova/);
    await press(customer, /^Trofie al pesto/);
    await press(customer, /^Add/);
    await press(customer, /View your order/);
    const judged: string[] = [];
    customer.page.on("request", (request) => {
      if (request.url().endsWith("/v1/orders/price")) judged.push(request.postDataJSON().promotionCode);
    });
    await customer.page.evaluate(TYPES_A_CODE);
    await shows(customer, "This code does not count for this order.");
    await customer.page.getByLabel("For the kitchen").fill(NOTE);
    t.strictSame(judged, [CODE], "a code is judged when it is typed, not at each of its letters, and no note is");
    await customer.page.getByLabel("Promotion code").fill("");
    await customer.page.getByRole("button", { name: /^Place order/, disabled: false }).waitFor();
    await cook.command("restaurant.pause", {});
    await until(async () => !(await open()));
    await press(customer, /^Place order/);
    await shows(customer, "The restaurant is not taking orders at the moment.");
    await cook.command("restaurant.resume", {});
    await until(open);
    const setFee = async (deliveryFeeMinor: number) => {
      const restaurantId = town.kitchen.id;
      await cook.command("restaurant.configure", { restaurantId, profile: { ...MENU, deliveryFeeMinor } });
      await until(async () => (await http.menu(restaurantId)).deliveryFeeMinor === deliveryFeeMinor);
    };
    // Eleven, a tenth of it, and the way.
    await setFee(MENU.deliveryFeeMinor + 300);
    await press(customer, /^Place order · €14\.00/);
    await shows(customer, "With delivery and fees it is €17.00 instead of €14.00.");
    await customer.page.getByRole("button", { name: /^Order at the new price · €17\.00/, disabled: false }).waitFor();
    customer.line.set("deaf");
    await press(customer, /^Order at the new price/);
    const count = async () => (await http.orders()).orders.length;
    await until(async () => (await count()) === 2);
    // The answer is gone with the page.
    await customer.page.reload();
    customer.line.set("open");
    await shows(customer, "We have not heard whether this order arrived.");
    t.ok(await customer.page.getByRole("button", { name: "€1.00" }).isDisabled(), "nothing of it can be changed");
    await press(customer, /^Send it again/);
    await shows(customer, /Waiting for the restaurant/);
    t.equal(await count(), 2, "it was made once");
    await visit(kitchen, /Orders/);
    await kitchen.page.locator(".ticket .notice").getByText(NOTE).waitFor();
    t.ok(await kitchen.page.evaluate(BEGINS_AT_THE_RIGHT), "three of the first, not of the last");
    await setFee(MENU.deliveryFeeMinor);
  });

  await t.test(
    "R-RST-1 R-RST-2: a dish is put on the menu and taken off; a special day has hours of its own",
    async (t) => {
      const http = createHttp({ url, token: await tokenOf(url, town.kitchen, "restaurant") });
      await visit(kitchen, "Menu");
      await press(kitchen, "Add a dish");
      await kitchen.page.getByLabel("Name").fill("Panna cotta");
      await kitchen.page.getByLabel("Price in EUR").fill("5,50");
      await kitchen.page.getByLabel("Only so many portions").check();
      await kitchen.page.getByLabel("Portions left").fill("6");
      await kitchen.page.getByLabel("What is in it").fill("With berries");
      t.strictSame(await faults(kitchen), [], "a new dish");
      await press(kitchen, "Put it on the menu");
      await shows(kitchen, "6 left");
      const find = async () => (await http.menu(town.kitchen.id)).items.find(({ name }) => name === "Panna cotta");
      await until(async () => (await find()) !== undefined);
      t.match(await find(), { itemId: "panna-cotta", priceMinor: 550, left: 6, description: "With berries" });
      await press(kitchen, /^Panna cotta/);
      await press(kitchen, "Take off the menu");
      await press(kitchen, "Take it off");
      await kitchen.page.getByRole("button", { name: /^Panna cotta/ }).waitFor({ state: "detached" });
      await until(async () => (await find()) === undefined);

      await visit(kitchen, "Settings");
      await press(kitchen, "Add a span to Monday");
      await press(kitchen, "Add a day");
      await kitchen.page.getByLabel("Date of a special day").fill("2030-12-24");
      await kitchen.page.getByLabel("Why 2030-12-24 is special").fill("Christmas Eve");
      await press(kitchen, "Open for a while");
      await kitchen.page.getByLabel("2030-12-24 to").fill("15:00");
      await press(kitchen, "Save hours");
      await shows(kitchen, "Hours are saved");
      const hours = async () => (await http.menu(town.kitchen.id)).hours;
      await until(async () => (await hours()) !== undefined);
      t.match(await hours(), {
        weekly: [{ day: 1, from: "11:00", to: "22:00" }],
        exceptions: [{ date: "2030-12-24", reason: "Christmas Eve", spans: [{ from: "11:00", to: "15:00" }] }],
      });
      await visit(kitchen, /Orders/);
    },
  );

  await t.test("R-PRO-4: every page, by day and by night, has no serious accessibility fault", async (t) => {
    const { id } = town.kitchen;
    const order = new URL(customer.page.url()).hash.slice(2);
    await Promise.all([
      inspect(t, customer, ["", `restaurant/${id}`, "cart", "orders", order, "account"]),
      inspect(t, driver, ["", "earnings", "account"]),
      inspect(t, kitchen, ["", "menu", "settings"]),
      inspect(t, ops, ["", order, "people", "support", "nodes", "letters", "news", "audit", "account"]),
    ]);
    await customer.page.evaluate(`location.hash = "#/${order}"`);
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

  await t.test(
    "R-ACC-1: a window that another opened lives beside it, and who signs out in one has left both",
    async (t) => {
      const { page, context } = customer;
      const [second] = await Promise.all([
        context.waitForEvent("page"),
        page.evaluate("void open(location.href, '_blank')"),
      ]);
      await second.locator(".tracking").waitFor();
      t.not(await second.evaluate(DEVICE), await page.evaluate(DEVICE), "two windows are two devices");
      t.not((await page.evaluate<string[]>(LEFT_BEHIND)).length, 0, "an address is kept");
      // The node does not hear of it.
      await context.route("**/v1/auth/sign-out", () => undefined);
      await second.getByRole("link", { name: "Account" }).click();
      await second.getByRole("button", { name: "Sign out", exact: true }).click();
      await second.getByRole("link", { name: "Account" }).click();
      await second.getByLabel("Password").waitFor();
      await visit(customer, "Account");
      await page.getByLabel("Password").waitFor();
      t.strictSame(await page.evaluate(LEFT_BEHIND), [], "nothing of theirs is left");
    },
  );
});
