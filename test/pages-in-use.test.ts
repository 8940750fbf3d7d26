/**
 * The pages in hands that are in a hurry: touched twice, reloaded anywhere, asked while another page is shown, with a finger
 * for a mouse, with an order that goes away and comes back.
 */
import type { Page } from "playwright-core";
import t from "tap";
import { createHttp, type Http } from "../sdk/node.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import type { OrderStatus, Role } from "../src/protocol/mod.js";
import { driverWithoutPage } from "./support/another-driver.js";
import { missingBrowser } from "./support/browser.js";
import {
  connected,
  cut,
  holds,
  mend,
  numberOf,
  press,
  setStage,
  shows,
  signIn,
  touchTwice,
  until,
  visit,
} from "./support/screens.js";
import type { Townsman } from "./support/town.js";

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
const HAS_FOCUS = `document.activeElement?.getAttribute("role") === "alertdialog"`;
/** What the stage's offers last, and a little. */
const OFFER_LASTS_MS = 910_000;
/** More than a conversation shows at once. */
const LINES = 40;
const TALK = `document.querySelector(".chat-lines")`;
const AT_THE_END = `${TALK}?.scrollTop > 0 && ${TALK}.scrollHeight - ${TALK}.scrollTop - ${TALK}.clientHeight < 2`;
const TO_THE_TOP = `${TALK}.scrollTo(0, 0)`;
const AT_THE_TOP = `${TALK}.scrollTop === 0`;
const MAP = "canvas.maplibregl-canvas";
const LOOKS_AGAIN = `document.dispatchEvent(new Event("visibilitychange"))`;
const PLACE = `JSON.parse(localStorage.getItem("swift-eats.customer.place"))`;
/** Of a driver without a page. */

t.test("R-PRO-4: pages in use", { timeout: TIMEOUT_MS, skip: missingBrowser() }, async (t) => {
  const stage = await setStage(t);
  const { town, url } = stage;
  const as = async ({ email, password }: Townsman, role: Role): Promise<Http> => {
    const session = await createHttp({ url }).send<{ readonly accessToken: string }>("POST", "/v1/auth/sign-in", {
      email,
      password,
      role,
    });
    return createHttp({ url, token: session.accessToken });
  };
  const [guest, cook, rider, boss] = await Promise.all([
    as(town.customer, "customer"),
    as(town.kitchen, "restaurant"),
    as(town.driver, "driver"),
    as(town.operator, "admin"),
  ]);
  const statusOf = async (orderId: string): Promise<OrderStatus> => (await guest.order(orderId)).status;
  const order = async (): Promise<string> => {
    const { orderId } = await guest.placeOrder({
      restaurantId: town.kitchen.id,
      lines: [{ itemId: "pesto", quantity: 1, unitPriceMinor: 1100 }],
      destination: { ...town.door, address: "5 Vico Prova" },
      currency: "EUR",
    });
    await until(async () => (await statusOf(orderId)) === "confirmed");
    return orderId;
  };
  const cooked = async (): Promise<string> => {
    const orderId = await order();
    await cook.command("order.accept", { orderId, prepMinutes: 5 });
    await cook.command("order.ready", { orderId });
    return orderId;
  };
  const anotherDriver = (name: string) => driverWithoutPage(t, { url, boss, password: town.driver.password, name });
  const [tablet, phone, ops] = await Promise.all([
    stage.open("restaurant", town.square, false),
    stage.open("driver", town.square),
    stage.open("ops", town.square, false),
  ]);
  let kitchen = tablet;
  let driver = phone;
  let delivered = "";
  await Promise.all([signIn(kitchen, town.kitchen), signIn(driver, town.driver), signIn(ops, town.operator)]);

  await t.test(
    "R-PRO-4: keys go on where they were when a sheet closes, and in the page that was opened",
    async (t) => {
      const guestPage = await stage.open("customer", town.door);
      const { page } = guestPage;
      await page.goto(`${guestPage.line.url}/customer#/restaurant/${town.kitchen.id}`);
      const dish = page.getByRole("button", { name: /^Trofie al pesto/ });
      for (const close of [() => page.keyboard.press("Escape"), () => press(guestPage, /^Add/)]) {
        await dish.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        await close();
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await holds(guestPage, `document.activeElement?.innerText.startsWith("Trofie al pesto") === true`);
      }
      await page.getByRole("button", { name: /View your order/ }).focus();
      await page.keyboard.press("Enter");
      await shows(guestPage, "For the kitchen");
      await holds(guestPage, `document.activeElement?.tagName === "MAIN"`);
      await page.keyboard.press("Tab");
      t.ok(await page.evaluate(`document.activeElement?.closest("main") !== null`), "not at the beginning again");
      await guestPage.context.close();
    },
  );

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

  await t.test("R-RST-1: the settings follow the doors, whoever moves them", async () => {
    await visit(kitchen, "Settings");
    await shows(kitchen, "Taking orders");
    await cook.command("restaurant.pause", {});
    await shows(kitchen, "Not taking orders");
    await kitchen.page.getByRole("button", { name: "Take orders again" }).waitFor();
    await cook.command("restaurant.resume", {});
    await shows(kitchen, /^Taking orders/);
    await visit(kitchen, /Orders/);
  });

  await t.test("R-RST-4: a ticket that is touched twice takes no other with it", async (t) => {
    const orders = [await order(), await order(), await order()];
    const accept = kitchen.page.getByRole("button", { name: "Accept" });
    await until(async () => (await accept.count()) === orders.length);
    await touchTwice(kitchen, "Accept");
    await until(async () => (await accept.count()) < orders.length);
    await sleep(clock, 1_000);
    t.strictSame(await Promise.all(orders.slice(1).map(statusOf)), ["confirmed", "confirmed"]);
    for (const orderId of orders.slice(1)) await cook.command("order.accept", { orderId, prepMinutes: 5 });
    const ready = kitchen.page.getByRole("button", { name: "Ready" });
    await until(async () => (await ready.count()) === orders.length);
    await touchTwice(kitchen, "Ready");
    await until(async () => (await ready.count()) < orders.length);
    await sleep(clock, 1_000);
    const still = await Promise.all(orders.slice(1).map(statusOf));
    t.notOk(still.includes("ready"), "nobody is called for food that is on the stove");
    for (const orderId of orders) await boss.command("order.cancel", { orderId, reason: "Enough" });
    for (const orderId of orders) await shows(kitchen, `STOP — ${numberOf(orderId)} is cancelled: Enough`);
    await press(kitchen, "All right");
  });

  await t.test("R-DSP-1 R-GPS-9: a page shows the shift that the node keeps, whoever has begun it", async () => {
    await shows(driver, "Ready when you are");
    await rider.send("PUT", "/v1/me/consents/location", { given: true });
    await rider.command("driver.online", { name: town.driver.name, vehicle: "bicycle", ...town.square });
    await shows(driver, "Looking for a trip");
    await rider.command("driver.offline", {});
    await shows(driver, "Ready when you are");
    await press(driver, "Start shift");
    await shows(driver, "Looking for a trip");
  });

  await t.test("R-DSP-4: an offer is shown over every page, and goes when its time is over", async () => {
    const card = driver.page.getByRole("alertdialog", { name: "A trip for you" });
    await visit(driver, "Earnings");
    const orderId = await cooked();
    await card.waitFor();
    // So it is spoken, too.
    await holds(driver, HAS_FOCUS);
    await press(driver, "Decline");
    await card.waitFor({ state: "detached" });
    await boss.command("ops.assign", { orderId, driverId: town.driver.id, reason: "Once more" });
    await card.waitFor();
    await cut(driver);
    // Without a line, and without a sleep of a quarter of an hour.
    await driver.page.clock.install();
    await driver.page.clock.fastForward(OFFER_LASTS_MS);
    await card.waitFor({ state: "detached" });
    await shows(driver, "Nothing earned this week");
    await boss.command("order.cancel", { orderId, reason: "Too late" });
    // That page's clock stays ahead.
    const page = await driver.context.newPage();
    await driver.page.close();
    driver = { ...driver, page };
    driver.line.set("open");
    await driver.context.setOffline(false);
    await page.goto(`${driver.line.url}/driver`);
    await shows(driver, "Looking for a trip");
  });

  await t.test("R-TRK-6: who says twice that they have arrived has not picked up", async (t) => {
    await visit(driver, "Drive");
    const orderId = await cooked();
    await press(driver, "Accept");
    await driver.page.getByRole("button", { name: "I have arrived" }).waitFor();
    await shows(driver, `Order ${numberOf(orderId)}`);
    await touchTwice(driver, "I have arrived");
    await driver.page.getByRole("button", { name: "Picked up" }).waitFor();
    await sleep(clock, 1_000);
    t.equal(await statusOf(orderId), "ready");
    await boss.command("order.cancel", { orderId, reason: "Enough of it" });
    await shows(driver, "Looking for a trip");
    await shows(driver, "Trattoria Prova: not on your trip any more");
    await shows(driver, "Enough of it.");
    t.equal(await driver.page.getByRole("button", { name: "I have the food" }).count(), 0);
    await press(driver, "All right");
  });

  await t.test("R-DSP-6: an order that was taken away meanwhile and comes back can be picked up", async (t) => {
    await visit(driver, "Drive");
    const orderId = await cooked();
    await press(driver, "Accept");
    await press(driver, "I have arrived");
    await driver.page.getByRole("button", { name: "Picked up" }).waitFor();
    await cut(driver);
    await rider.command("driver.release", { orderId, reason: "Said by telephone" });
    await press(driver, "Picked up");
    await mend(driver);
    await shows(driver, "This order is not on your trip any more.");
    await shows(driver, "Looking for a trip");
    await shows(driver, "Another driver has it by now, or it is over.");
    await boss.command("ops.assign", { orderId, driverId: town.driver.id, reason: "It goes after all" });
    await press(driver, "Accept");
    await press(driver, "I have arrived");
    await press(driver, "Picked up");
    await shows(driver, "Deliver to");
    await until(async () => (await statusOf(orderId)) === "picked_up");
    t.equal(await driver.page.locator(".taken").count(), 0, "what is here again was not taken");
    await visit(driver, "Earnings");
    await shows(driver, "Nothing earned this week");
    await rider.command("driver.deliver", { orderId });
    await until(async () => (await statusOf(orderId)) === "delivered");
    await until(async () => {
      await driver.page.evaluate(LOOKS_AGAIN);
      return (await driver.page.getByText("1 delivery").count()) > 0;
    });
    delivered = orderId;
  });

  await t.test("R-DSP-6: whoever has the food of an order that was taken from them can say so", async (t) => {
    await visit(driver, "Drive");
    const orderId = await cooked();
    await boss.command("ops.assign", { orderId, driverId: town.driver.id, reason: "At once" });
    await press(driver, "Accept");
    await driver.page.getByRole("button", { name: "I have arrived" }).waitFor();
    await cut(driver);
    await rider.command("driver.release", { orderId, reason: "pickup_too_late" });
    await mend(driver);
    await shows(driver, "The pickup took too long.");
    await press(driver, "I have the food");
    await shows(driver, "Another driver has it by now, or it is over.");
    await press(driver, "All right");
    t.equal(await driver.page.locator(".taken").count(), 0);
    await boss.command("order.cancel", { orderId, reason: "Enough" });
  });

  await t.test("R-COM-1: a conversation opens at its end, and what was begun in it is there again", async (t) => {
    const rooms: string[] = [];
    for (const about of [{}, { orderId: await order() }]) {
      const { roomId } = await guest.send<{ readonly roomId: string }>("POST", "/v1/me/support-room", about);
      rooms.push(roomId);
    }
    const [long, other] = rooms as [string, string];
    const say = (roomId: string, text: string) =>
      guest.command("chat.say", { roomId, messageId: `${roomId.slice(-8)}-${text.replaceAll(/\W/g, "-")}`, text });
    for (let line = 1; line < LINES; line++) await say(long, `Line ${line}`);
    await say(long, "The last word");
    await say(other, "Something else");
    await visit(ops, "Support");
    await press(ops, /The last word/);
    await holds(ops, AT_THE_END);
    await press(ops, "Take it");
    const written = ops.page.getByRole("textbox", { name: "Message" });
    await written.fill("I have asked the kitchen, and");
    await press(ops, /Something else/);
    await shows(ops, /^Take it$/);
    await press(ops, /The last word/);
    await written.waitFor();
    t.equal(await written.inputValue(), "I have asked the kitchen, and");
    await holds(ops, AT_THE_END);
    // Who reads what was said before is left there; who answers is at the end again.
    await ops.page.evaluate(TO_THE_TOP);
    await say(long, "One more thing");
    await shows(ops, "One more thing");
    t.ok(await ops.page.evaluate(AT_THE_TOP));
    await press(ops, "Send");
    await holds(ops, AT_THE_END);
    await press(ops, /Something else/);
    await ops.page.getByRole("link", { name: /^Order [0-9A-Z]{4}$/ }).click();
    await ops.page.getByRole("button", { name: "Assign a driver" }).waitFor();
  });

  await t.test(
    "R-ADM-2: who is chosen to drive stays where the finger meets them, or is seen to be gone",
    async (t) => {
      await rider.command("driver.offline", {});
      const north = (degrees: number) => ({ ...town.square, lat: town.square.lat + degrees });
      const [far, near] = await Promise.all([anotherDriver("Far"), anotherDriver("Near")]);
      await far!.comes(north(0.012));
      const orderId = await order();
      // So long that nobody is asked by themselves.
      await cook.command("order.accept", { orderId, prepMinutes: 60 });
      await ops.page.goto(`${ops.line.url}/ops#/order/${orderId}`);
      await press(ops, "Assign a driver");
      const choice = ({ id }: { readonly id: string }) =>
        ops.page.getByRole("radio", { name: `Driver ${numberOf(id)}` });
      await choice(far!).check();
      await ops.page.getByLabel("Reason").fill("They know the house");
      await near!.comes(north(0.001));
      await choice(near!).waitFor();
      t.ok(await choice(far!).isChecked(), "whoever comes nearer moves nobody away");
      await far!.http.command("driver.offline", {});
      await ops.page.getByRole("radio", { name: `Driver ${numberOf(far!.id)} Not free any more` }).waitFor();
      t.ok(await ops.page.getByRole("button", { name: "Ask this driver" }).isDisabled());
      await press(ops, "Look again");
      await choice(far!).waitFor({ state: "detached" });
      await choice(near!).check();
      await press(ops, "Ask this driver");
      await shows(ops, "The driver is asked");
      await until(async () => JSON.stringify(await near!.http.get("/v1/drivers/me/work")).includes(orderId));
      await boss.command("order.cancel", { orderId, reason: "Enough" });
      await near!.http.command("driver.offline", {});
    },
  );

  await t.test("R-ORD-1: food goes where somebody has said, and a page says why it cannot be ordered", async (t) => {
    const guestPage = await stage.open("customer", town.door);
    const { page } = guestPage;
    const places: { readonly lat: number; readonly address: string }[] = [];
    for (const address of ["12 Mill Lane, ring at Bianchi", "12 Bell Lane"]) {
      await press(guestPage, /Set your address|Deliver to/);
      const here = page.getByRole("button", { name: "Deliver here" });
      t.equal(await here.isDisabled(), places.length === 0, "not where nobody has said");
      await page.getByLabel("Address and door").fill(address);
      await here.click();
      await shows(guestPage, `We found ${address.slice(0, 12)}`);
      t.strictSame(await page.evaluate(PLACE), places[0] ?? null, "looked at first");
      await here.click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      places.push(await page.evaluate(PLACE));
      t.equal(places.at(-1)?.address, address, "with the bell");
    }
    t.not(places[0]?.lat, places[1]?.lat, "another address is another place");
    await press(guestPage, /Trattoria Prova/);
    await press(guestPage, /^Trofie al pesto/);
    await press(guestPage, /^Add/);
    await cook.command("restaurant.pause", {});
    await until(async () => !(await guest.menu(town.kitchen.id)).open);
    await press(guestPage, /View your order/);
    await shows(guestPage, /^Taking a short break/);
    await cook.command("restaurant.resume", {});
    await press(guestPage, "Sign in to order");
    await signIn(guestPage, town.customer);
    await shows(guestPage, "For the kitchen");
    await boss.command("ops.refund", { orderId: delivered, amountMinor: 300, reason: "Cold", bearer: "platform" });
    await page.goto(`${guestPage.line.url}/customer#/order/${delivered}`);
    await until(async () => ((await guest.order(delivered)).refundedMinor ?? 0) > 0);
    await page.reload();
    await shows(guestPage, "Given back");
    await guestPage.context.close();
  });

  await t.test("R-PRO-4: a map that did not come through comes back, and nothing else is missing", async (t) => {
    const guestPage = await stage.open("customer", town.door);
    await guestPage.page.getByRole("button", { name: "Set your address" }).waitFor();
    await guestPage.context.setOffline(true);
    await press(guestPage, "Set your address");
    await press(guestPage, "Use where I am");
    await shows(guestPage, "The map comes when there is a network.");
    await guestPage.context.setOffline(false);
    await guestPage.page.locator(MAP).waitFor();
    await guestPage.context.close();

    const watcher = await stage.open("ops", town.square, false);
    watcher.line.losing = /^\/(assets\/style-.*\.js|live\/city\.json)$/;
    await signIn(watcher, town.operator);
    await shows(watcher, "The map did not come through. Everything else works.");
    await shows(watcher, /^Orders \(/);
    watcher.line.losing = null;
    await press(watcher, "Open the page again");
    await watcher.page.locator(MAP).waitFor();
    t.equal(await watcher.page.getByText("The map did not come through").count(), 0);
    await watcher.context.close();
  });

  await t.test("R-COM-2: who is in a part of town is told what is for it, and nobody else", async (t) => {
    const far = { lat: town.square.lat + 1, lng: town.square.lng };
    const { zone } = await boss.get<{ readonly zone: string }>("/v1/city/zone", far);
    const snow = { title: "Snow in the hills", text: "Mind it.", endsAt: clock.now() + 3_600_000, zones: [zone] };
    await boss.send("POST", "/v1/announcements", snow);
    await visit(ops, "News");
    await press(ops, "Write one");
    await press(ops, "Around an address");
    await ops.page.getByLabel("Address").fill("12 Mill Lane");
    await ops.page.getByLabel("Title").fill("The lane is closed");
    await ops.page.getByLabel("Text").fill("Until the water is gone.");
    await press(ops, "Tell now");
    await shows(ops, /in a part of town/);
    for (const screen of [kitchen, driver]) {
      await shows(screen, "The lane is closed");
      t.equal(await screen.page.getByText(snow.title).count(), 0);
    }
  });

  await t.test("R-ADM-1: a number of no order says so", async () => {
    await visit(ops, "City");
    await ops.page.getByLabel("Find", { exact: true }).fill("0190aaaa-0000-7000-8000-000000000000");
    await ops.page.keyboard.press("Enter");
    await shows(ops, "There is no order of this number.");
    await press(ops, "Close");
  });
});
