/**
 * The pages in hands that are in a hurry: touched twice, reloaded anywhere, asked while another page is shown, with a finger
 * for a mouse, with an order that goes away and comes back.
 */
import type { Page } from "playwright-core";
import t from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { missingBrowser } from "./support/browser.js";
import { connected, holds, setStage, shows, signIn, visit } from "./support/screens.js";

const TIMEOUT_MS = 290_000;
const clock = systemClock();
/** As on a device with much to do: the storage opens after the token was renewed. */
const SLOW_STORAGE = `{
  const open = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...given) {
    const request = {};
    setTimeout(() => {
      const real = open.apply(this, given);
      for (const name of ["onsuccess", "onerror", "onupgradeneeded"]) real[name] = () => request[name]?.();
      Object.defineProperty(request, "result", { get: () => real.result });
    }, 2000);
    return request;
  };
}`;
const KEPT = `"swift-eats.session.restaurant"`;
const OLD_TOKEN = `localStorage.setItem(${KEPT}, JSON.stringify({ ...JSON.parse(localStorage.getItem(${KEPT})), accessUntil: 0 }))`;
const TOKEN_IS_NEW = `JSON.parse(localStorage.getItem(${KEPT})).accessUntil > 0`;
const SOUNDS = `globalThis.sounds = [];
  globalThis.AudioContext = class extends AudioContext {
    constructor() {
      super();
      sounds.push(this);
    }
  }`;

t.test("R-PRO-4: pages in use", { timeout: TIMEOUT_MS, skip: missingBrowser() }, async (t) => {
  const stage = await setStage(t);
  const { town } = stage;
  let kitchen = await stage.open("restaurant", town.square, false);
  await signIn(kitchen, town.kitchen);

  await t.test("R-RST-2: the menu and the settings open in a page that is reloaded", async () => {
    await visit(kitchen, "Menu");
    await kitchen.page.reload();
    await kitchen.page.getByRole("button", { name: /^Trofie al pesto/ }).waitFor();
    await visit(kitchen, "Settings");
    await kitchen.page.reload();
    await shows(kitchen, "Opening hours");
    await visit(kitchen, /Orders/);
  });

  await t.test(
    "R-PRO-3: a token that is renewed while the device opens its storage makes no second line",
    async (t) => {
      const page = await kitchen.context.newPage();
      await kitchen.page.close();
      await page.addInitScript(SLOW_STORAGE);
      await page.addInitScript(OLD_TOKEN);
      const sockets: string[] = [];
      page.on("websocket", (socket) => sockets.push(socket.url()));
      await page.goto(`${kitchen.line.url}/restaurant#/settings`);
      kitchen = { ...kitchen, page };
      await shows(kitchen, "Opening hours");
      await holds(kitchen, TOKEN_IS_NEW);
      await sleep(clock, 1_000);
      t.equal(sockets.length, 1);
      t.equal(await page.locator(".line-banner").count(), 0, "nobody took its place");
      await visit(kitchen, /Orders/);
    },
  );

  await t.test("R-RST-4: a touch of a finger, any key, or a touch after a call switches the bell on", async (t) => {
    const first = [
      (page: Page) => page.touchscreen.tap(640, 400),
      async (page: Page) => {
        await page.keyboard.press("Escape");
        await page.mouse.click(640, 400);
      },
    ];
    for (const touch of first) {
      const tablet = await stage.browser.newContext({
        hasTouch: true,
        storageState: await kitchen.context.storageState(),
      });
      const page = await tablet.newPage();
      await page.addInitScript(SOUNDS);
      // To look into the page would count as a touch: its socket says that it is there.
      const begun = page.waitForEvent("websocket");
      await page.goto(`${kitchen.line.url}/restaurant`, { waitUntil: "commit" });
      await begun;
      await touch(page);
      const tried = page.getByRole("button", { name: "Try the bell" });
      await tried.waitFor();
      await page.evaluate("sounds[0].suspend()");
      await page.getByRole("button", { name: "Switch the bell on" }).waitFor();
      await page.touchscreen.tap(640, 400);
      await tried.waitFor();
      await tablet.close();
    }
    t.equal(first.length, 2);
    // One tablet is one device: it is this one's again.
    await kitchen.page.reload();
    await connected(kitchen);
  });
});
