/**
 * A node with a town, and people in front of its pages: each in a browser context of their own, behind a network line of
 * their own that a test can cut.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Test } from "tap";
import { OwnNode } from "../../simulator/live/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { withEmptyData } from "../../src/store/postgres/fixtures/empty-data.js";
import { openBrowser } from "./browser.js";
import { Line } from "./line.js";
import { settle, type Town, type Townsman } from "./town.js";

export const APPS = ["customer", "driver", "restaurant", "ops"] as const;
export type App = (typeof APPS)[number];

/** For one thing to appear: the machine may be busy with everything else. */
export const PATIENCE_MS = 60_000;

/** Deadlines that a slow machine cannot reach, and pings so frequent that a dead line is noticed within the test. */
const NODE_ARGUMENTS = [
  ...["--domain.order.offerMs", "900000", "--domain.order.acceptDeadlineMs", "1800000"],
  ...["--domain.driver.stalledMs", "1200000", "--gateway.pingMs", "3000", "--gateway.silenceMs", "60000"],
];

export interface Screen {
  readonly app: App;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly line: Line;
}

export interface Stage {
  readonly node: OwnNode;
  readonly url: string;
  readonly town: Town;
  readonly browser: Browser;
  open(app: App, at: { readonly lat: number; readonly lng: number }, narrow?: boolean): Promise<Screen>;
}

export async function setStage(t: Test): Promise<Stage> {
  const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-apps-"))), "postgres");
  const node = new OwnNode({ dataDir, timeScale: 1, onRestart: () => undefined, extraArguments: NODE_ARGUMENTS });
  const lines: Line[] = [];
  let browser: Browser | null = null;
  t.teardown(async () => {
    await browser?.close();
    await Promise.all(lines.map((line) => line.close()));
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const { url, operatorSecretFile } = await node.start();
  const opened = await openBrowser();
  browser = opened;
  const town = await settle(url, readFileSync(operatorSecretFile, "utf8").trim());
  return {
    node,
    url,
    town,
    browser: opened,
    async open(app, { lat, lng }, narrow = true) {
      const line = await Line.to(url);
      lines.push(line);
      const context = await opened.newContext({
        viewport: narrow ? { width: 390, height: 844 } : { width: 1280, height: 860 },
        reducedMotion: "reduce",
        locale: "en-GB",
        geolocation: { latitude: lat, longitude: lng, accuracy: 5 },
        permissions: ["geolocation"],
      });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => t.fail(`${app}: ${error.stack ?? error.message}`));
      await page.goto(`${line.url}/${app}`);
      return { app, context, page, line };
    },
  };
}

export async function signIn({ page }: Screen, { email, password }: Townsman): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).last().click();
  await page.getByLabel("Password").waitFor({ state: "detached" });
}

export const shows = ({ page }: Screen, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
export const press = ({ page }: Screen, name: string | RegExp): Promise<void> =>
  page.getByRole("button", { name }).first().click();
export const visit = ({ page }: Screen, name: string | RegExp): Promise<void> =>
  page.getByRole("link", { name }).first().click();

/** The network goes, and the device says so; resolves when the page says it too. */
export async function cut(screen: Screen): Promise<void> {
  screen.line.set("cut");
  await screen.context.setOffline(true);
  await screen.page.locator(".line-banner").waitFor();
}

/** The network is back; resolves when the page is connected again. */
export async function mend(screen: Screen): Promise<void> {
  screen.line.set("open");
  await screen.context.setOffline(false);
  await connected(screen);
}

export async function connected({ page }: Screen): Promise<void> {
  await page.locator(".line-banner").waitFor({ state: "detached" });
}

// What runs in the page is text: this program knows no pages.
const faultsOf = (
  options: string,
): string => `axe.run({ resultTypes: ["violations"]${options} }).then(({ violations }) =>
  violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ": " + target + " " + failureSummary)))`;
/** Two frames on, and no colour is on its way to another. */
const DRAWN = `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() =>
  Promise.allSettled(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished)))`;
const HAS_AXE = `typeof axe !== "undefined"`;

export async function drawn({ page }: Screen): Promise<void> {
  await page.evaluate(DRAWN);
}

/** What a theme can get wrong. */
const OF_COLOURS = `, runOnly: ["color-contrast", "link-in-text-block"]`;

/** Serious and critical faults of a page, in words; or those alone that come of its colours. */
export async function faults(screen: Screen, only?: "colours"): Promise<readonly string[]> {
  const { page } = screen;
  await drawn(screen);
  if (!(await page.evaluate<boolean>(HAS_AXE))) await page.evaluate(axe.source);
  return page.evaluate<readonly string[]>(faultsOf(only === undefined ? "" : OF_COLOURS));
}

/** The app's page and what it is made of lie on the device. */
const shellIsKept = (app: App): string => `navigator.serviceWorker.ready
  .then(() => caches.open("swift-eats-shell-1"))
  .then((cache) => cache.keys())
  .then((kept) => {
    const has = (path) => kept.some(({ url }) => url.includes(path));
    const loaded = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/assets/"));
    return kept.some(({ url }) => url.endsWith("/${app}")) && loaded.every(({ name }) => has(new URL(name).pathname));
  })`;

export async function shellKept(screen: Screen): Promise<void> {
  await holds(screen, shellIsKept(screen.app));
}

const LOOK_EVERY_MS = 100;
const clock = systemClock();

/** Waits until an expression is true in the page. Asked from outside: the pages' own policy forbids what comes as text. */
export async function holds({ page }: Screen, expression: string): Promise<void> {
  while (!(await page.evaluate<boolean>(expression))) await sleep(clock, LOOK_EVERY_MS);
}

/** An order's or a driver's number, as people read it. */
export const numberOf = (id: string): string => id.slice(-4).toUpperCase();

/** For what no page says. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(systemClock(), 100);
}

/** Half of a double touch follows the other after this. */
const TWICE_MS = 120;

/** Twice at one place, whatever lies there by then. */
export async function touchTwice({ page }: Screen, name: string): Promise<void> {
  const box = (await page.getByRole("button", { name }).first().boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.click(x, y);
  await sleep(systemClock(), TWICE_MS);
  await page.mouse.click(x, y);
}
