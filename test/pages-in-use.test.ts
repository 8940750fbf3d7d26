/**
 * The pages in hands that are in a hurry: touched twice, reloaded anywhere, asked while another page is shown, with a finger
 * for a mouse, with an order that goes away and comes back.
 */
import type { Page } from "playwright-core";
import t from "tap";
import { missingBrowser } from "./support/browser.js";
import { connected, setStage, signIn } from "./support/screens.js";

const TIMEOUT_MS = 290_000;
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
  const kitchen = await stage.open("restaurant", town.square, false);
  await signIn(kitchen, town.kitchen);

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
