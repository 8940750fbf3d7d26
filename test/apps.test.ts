/**
 * Four people, each with the app that is theirs, in a real browser against a real node: one order from hunger to the
 * door, through a stale price, reloaded pages, a tunnel, a killed node, and a network without sockets.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import t, { type Test } from "tap";
import { OwnNode } from "../simulator/live/mod.js";
import { missingBrowser, openBrowser } from "./support/browser.js";
import { settle, type Town, type Townsman } from "./support/town.js";

const TIMEOUT_MS = 280_000;
/** For one thing to appear: the machine may be busy with everything else. */
const PATIENCE_MS = 60_000;
/** First load without the map, as it travels: compressed. */
const MOST_FIRST_LOAD_BYTES = 300_000;
const APPS = ["customer", "driver", "restaurant", "ops"] as const;

interface Screen {
  readonly context: BrowserContext;
  readonly page: Page;
}

interface Stage {
  readonly node: OwnNode;
  readonly url: string;
  readonly town: Town;
  readonly browser: Browser;
  open(
    app: (typeof APPS)[number],
    at: { readonly lat: number; readonly lng: number },
    narrow?: boolean,
  ): Promise<Screen>;
}

async function setUp(t: Test): Promise<Stage> {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-apps-")));
  const node = new OwnNode({ dataDir, timeScale: 1, onRestart: () => undefined });
  const { url, operatorSecretFile } = await node.start();
  const browser = await openBrowser();
  t.teardown(async () => {
    await browser.close();
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const town = await settle(url, readFileSync(operatorSecretFile, "utf8").trim());
  return {
    node,
    url,
    town,
    browser,
    async open(app, { lat, lng }, narrow = true) {
      const context = await browser.newContext({
        viewport: narrow ? { width: 390, height: 844 } : { width: 1280, height: 860 },
        reducedMotion: "reduce",
        locale: "en-GB",
        geolocation: { latitude: lat, longitude: lng, accuracy: 5 },
        permissions: ["geolocation"],
      });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => t.fail(`${app}: ${error.message}`));
      await page.goto(`${url}/${app}`);
      return { context, page };
    },
  };
}

async function signIn(page: Page, { email, password }: Townsman): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await page.getByLabel("Password").waitFor({ state: "detached" });
}

// What runs in the page is text: this program knows no pages.
const FAULTS = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
  violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary)))`;
const LOADED_BYTES = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;
const MANIFEST = `fetch(document.querySelector('link[rel="manifest"]').href).then((answer) => answer.json())`;

/** Serious and critical faults of a page, in words. */
async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<readonly string[]>(FAULTS);
}

const shows = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
const press = (page: Page, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).first().click();

t.test(
  "R-PRO-4: four apps are signed in to, and a meal is found, chosen and priced",
  { timeout: TIMEOUT_MS, skip: missingBrowser() },
  async (t) => {
    const stage = await setUp(t);
    const { town, url } = stage;
    const [customer, driver, kitchen, ops] = await Promise.all([
      stage.open("customer", town.door),
      stage.open("driver", town.square),
      stage.open("restaurant", town.square, false),
      stage.open("ops", town.square, false),
    ]);

    await t.test(
      "R-PRO-4: each page is small, has an app's manifest, and no serious accessibility fault",
      async (t) => {
        for (const [index, { page }] of [customer, driver, kitchen, ops].entries()) {
          await page.waitForLoadState("load");
          const bytes = await page.evaluate<number>(LOADED_BYTES);
          t.ok(bytes > 10_000 && bytes < MOST_FIRST_LOAD_BYTES, `${APPS[index]} loads ${bytes} bytes`);
          const manifest = await page.evaluate<{ scope: string; icons: { src: string }[] }>(MANIFEST);
          t.equal(manifest.scope, `/${APPS[index]}`);
          for (const { src } of manifest.icons) t.ok((await page.request.get(url + src)).ok(), src);
          t.strictSame(await faults(page), [], `${APPS[index]} before signing in`);
        }
      },
    );

    await customer.page.getByRole("link", { name: "Account" }).click();
    await Promise.all([
      signIn(customer.page, town.customer),
      signIn(driver.page, town.driver),
      signIn(kitchen.page, town.kitchen),
      signIn(ops.page, town.operator),
    ]);

    // Hungry: where, what, how many.
    await customer.page.getByRole("link", { name: "Discover" }).click();
    await press(customer.page, "Set your address");
    await press(customer.page, "Use where I am");
    await customer.page.getByLabel("Address and door").fill("5 Vico Prova");
    await press(customer.page, "Deliver here");
    await customer.page.getByRole("button", { name: /Trattoria Prova/ }).waitFor();
    t.strictSame(await faults(customer.page), [], "the list of restaurants");
    await customer.page.getByLabel("Search restaurants and dishes").fill("margerita");
    await shows(customer.page, /Pizza Margherita · /);
    await press(customer.page, /Trattoria Prova/);
    await press(customer.page, /^Pizza Margherita/);
    await customer.page.getByLabel(/Large/).check();
    await press(customer.page, "Add · €12.00");
    await press(customer.page, /View your order/);
    await shows(customer.page, /\d min/);
    t.strictSame(await faults(customer.page), [], "the order before it is placed");
  },
);
