/**
 * Four people, each with the app that is theirs, in a real browser against a real node: one order from hunger to the
 * door. At every stage somebody's network is cut, held, or lets no socket through, somebody's page is reloaded, and once
 * the node is killed.
 *
 * `node dist/test/apps.test.js --cut-seconds 20` leaves the network away for that long each time.
 */
import t, { type Test } from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { missingBrowser } from "./support/browser.js";
import {
  connected,
  cut,
  faults,
  mend,
  press,
  type Screen,
  setStage,
  shellKept,
  shows,
  signIn,
  visit,
} from "./support/screens.js";

const TIMEOUT_MS = 290_000;
const clock = systemClock();
const asked = process.argv.indexOf("--cut-seconds");
const cutMs = asked < 0 ? 0 : Number(process.argv[asked + 1]) * 1000;

/** Cut off while something happens elsewhere, or while this person goes on. */
async function tunnel(screen: Screen, meanwhile: () => Promise<void>): Promise<void> {
  await cut(screen);
  await meanwhile();
  await sleep(clock, cutMs);
  await mend(screen);
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await sleep(clock, 50);
}

t.test(
  "R-PRO-4 R-TRK-1 R-TRK-3 R-RST-4 R-DSP-9 R-ADM-1: four apps play one order to the door, through cuts, reloads and a killed node",
  { timeout: cutMs === 0 ? TIMEOUT_MS : 900_000, skip: missingBrowser() },
  async (t) => {
    const stage = await setStage(t);
    const { town, node } = stage;
    const [customer, driver, kitchen, ops] = await Promise.all([
      stage.open("customer", town.door),
      stage.open("driver", town.square),
      stage.open("restaurant", town.square, false),
      stage.open("ops", town.square, false),
    ]);
    const noFaults = async (t: Test, screen: Screen, what: string): Promise<void> => {
      t.strictSame(await faults(screen), [], `${what}: no serious accessibility fault`);
    };

    await visit(customer, "Account");
    await Promise.all([
      signIn(customer, town.customer),
      signIn(driver, town.driver),
      signIn(kitchen, town.kitchen),
      signIn(ops, town.operator),
    ]);

    await t.test("R-SRC-1 R-ETA-2: hungry: where, what, how many, when", async (t) => {
      await visit(customer, "Discover");
      await press(customer, "Set your address");
      await press(customer, "Use where I am");
      await customer.page.getByLabel("Address and door").fill("5 Vico Prova");
      await press(customer, "Deliver here");
      await customer.page.getByRole("button", { name: /Trattoria Prova/ }).waitFor();
      await noFaults(t, customer, "the list of restaurants");
      await customer.page.getByLabel("Search restaurants and dishes").fill("margerita");
      await shows(customer, /Pizza Margherita · /);
      await press(customer, /Trattoria Prova/);
      await press(customer, /^Pizza Margherita/);
      await customer.page.getByLabel(/Large/).check();
      await press(customer, "Add · €12.00");
      await press(customer, /View your order/);
      await shows(customer, /\d min/);
      await noFaults(t, customer, "the order before it is placed");
    });

    await t.test("R-ORD-1: a price that rose meanwhile is shown and asked about again", async () => {
      await visit(kitchen, "Menu");
      await press(kitchen, /^Pizza Margherita/);
      await kitchen.page.getByLabel("Price in EUR").fill("9.50");
      await press(kitchen, "Save");
      await shows(kitchen, /€9\.50/);
      await visit(kitchen, /Orders/);
      await press(customer, /^Place order/);
      await shows(customer, "€12.50 instead of €12.00");
    });

    await t.test(
      "R-RST-4: ordered while the tablet is cut off: it shows the order once, also after a reload",
      async (t) => {
        await shellKept(kitchen);
        await tunnel(kitchen, async () => {
          await press(customer, /^Order at the new price/);
          await shows(customer, /Waiting for the restaurant/);
        });
        await kitchen.page.getByRole("button", { name: "Accept" }).waitFor();
        await noFaults(t, kitchen, "a new order in the kitchen");
        await kitchen.page.reload();
        await kitchen.page.getByRole("button", { name: "Accept" }).waitFor();
        t.equal(await kitchen.page.locator(".ticket").count(), 1, "the tablet shows the order once");
        await shows(kitchen, "Large");
        await customer.page.reload();
        await shows(customer, /Waiting for the restaurant/);
      },
    );
    const orderId = new URL(customer.page.url()).hash.split("/").at(-1)!;

    await t.test(
      "R-TRK-3: accepted while the customer is cut off: the page catches up, also after a reload",
      async () => {
        await tunnel(customer, async () => {
          await press(kitchen, "Accept");
          await kitchen.page.getByRole("button", { name: "Ready" }).waitFor();
        });
        await shows(customer, /has your order|being prepared/);
        await customer.page.reload();
        await shows(customer, /has your order|being prepared/);
      },
    );

    await t.test(
      "R-DSP-4 R-PRO-3: a kitchen that is cut off says ready, a driver who is cut off is asked",
      async (t) => {
        await press(driver, "Start shift");
        await shows(driver, "Looking for a trip");
        await tunnel(driver, () =>
          tunnel(kitchen, async () => {
            await press(kitchen, "Ready");
            await shows(kitchen, "Waiting for a driver");
            await kitchen.page.reload();
            await shows(kitchen, "Waiting for a driver");
          }),
        );
        await driver.page.getByRole("button", { name: "Accept" }).waitFor();
        await noFaults(t, driver, "an offer");
        await driver.page.reload();
        await press(driver, "Accept");
        await driver.page.getByRole("button", { name: "I have arrived" }).waitFor();
        await noFaults(t, driver, "a trip");
        await shows(kitchen, /Dario Autista/);
        await shows(customer, /Your food is ready/);
      },
    );

    await t.test("R-ADM-1 R-DSP-7: operations see it, and why this driver, after a cut and a reload", async (t) => {
      await tunnel(ops, async () => undefined);
      await ops.page.locator(".list-row").first().click();
      await shows(ops, "Why this driver");
      await shows(ops, "took it");
      await noFaults(t, ops, "the city with an order");
      await ops.page.reload();
      await ops.page.locator(".list-row").first().click();
      await shows(ops, "took it");
    });

    await t.test("R-PRO-3: steps made in a tunnel are kept on the phone, over a reload too", async () => {
      await shellKept(driver);
      await tunnel(driver, async () => {
        await press(driver, "I have arrived");
        await press(driver, "Picked up");
        await shows(driver, "Deliver to");
        await driver.page.reload();
        await shows(driver, "Deliver to");
      });
      await shows(customer, "On its way to you");
      // The kitchen is told at once that the food has left the house.
      await shows(kitchen, "Just finished (1)");
    });

    await t.test("R-COM-1: customer and driver talk, on the road", async (t) => {
      const message = (screen: Screen) => screen.page.getByRole("textbox", { name: "Message" });
      await press(customer, "Message");
      await message(customer).fill("The bell is broken");
      await press(customer, "Send");
      await driver.page.getByRole("button", { name: /^Message/ }).click();
      await shows(driver, "The bell is broken");
      await message(driver).fill("I will call");
      await press(driver, "Send");
      await shows(customer, "I will call");
      await noFaults(t, driver, "a conversation on the road");
      for (const screen of [customer, driver]) await screen.page.keyboard.press("Escape");
    });

    // The same customer at a desk whose proxy lets neither sockets nor streams through.
    const desk = await stage.open("customer", town.door, false);
    desk.line.upgrades = false;
    desk.line.streams = false;
    await visit(desk, "Account");
    await signIn(desk, town.customer);
    await desk.page.goto(`${desk.line.url}/customer#/order/${orderId}`);

    await t.test(
      "R-TRK-2 R-TRK-4 R-GPS-6: the driver is seen moving, again after a silent line and a reload",
      async (t) => {
        await driver.context.setGeolocation({ latitude: 44.4031, longitude: 8.9473, accuracy: 5 });
        await customer.page.locator(".pin.dart").waitFor();
        await shows(customer, /^Live|^Last seen/);
        await noFaults(t, customer, "the order on its way");
        // Nothing says that it has gone; it only says nothing any more.
        customer.line.set("silent");
        await customer.page.locator(".line-banner").waitFor();
        await driver.context.setGeolocation({ latitude: 44.4036, longitude: 8.948, accuracy: 5 });
        await sleep(clock, cutMs);
        customer.line.set("open");
        await connected(customer);
        await shows(customer, /^Live|^Last seen/);
        await customer.page.reload();
        await customer.page.locator(".pin.dart").waitFor();
      },
    );

    await t.test("R-TRK-1: polls bring the same where neither sockets nor streams come through", async (t) => {
      await shows(desk, "Slow connection");
      await shows(desk, "On its way to you");
      await desk.page.locator(".pin.dart").waitFor();
      t.ok(
        desk.line.seen.some((path) => path.startsWith("upgrade ")),
        "a socket was tried",
      );
      t.ok(
        desk.line.seen.some((path) => path.endsWith(`/${orderId}/events`)),
        "so was a stream",
      );
      t.ok(
        desk.line.seen.some((path) => path.endsWith(`/${orderId}/track`)),
        "polls came through",
      );
    });

    await t.test("R-CLU-1: the node is killed at the door, and comes back; the order ends once", async (t) => {
      const before = node.pid!;
      process.kill(before, "SIGKILL");
      await press(driver, "I have arrived");
      await press(driver, "Delivered");
      await until(() => node.pid !== before);
      await shows(customer, "Enjoy your meal!");
      await shows(desk, "Enjoy your meal!");
      await shows(driver, "Looking for a trip");
      t.equal(await customer.page.locator(".pin.dart").count(), 0, "nobody is shown where the driver is any more");
    });
    await desk.context.close();

    await t.test("R-RAT-1 R-TRK-5: rated once, kept in the history", async (t) => {
      await customer.page.getByRole("button", { name: "5 stars" }).first().click();
      await customer.page.getByLabel("A word about the food").fill("As in Naples");
      await press(customer, "Send");
      await shows(customer, "Thank you");
      await customer.page.reload();
      await customer.page.locator('.stars button[aria-pressed="true"][disabled]').first().waitFor();
      t.equal(await customer.page.locator('.stars button[aria-pressed="true"]').count(), 5, "as many as were given");
      await noFaults(t, customer, "the order that is over");
      await visit(customer, "History");
      await customer.page.getByRole("button", { name: /Trattoria Prova/ }).waitFor();
      await noFaults(t, customer, "the history");
    });

    await t.test("R-ADM-2: an operator gives something back, and the customer sees it", async () => {
      await press(ops, "Refund");
      await ops.page.getByLabel("Amount in EUR").fill("2.00");
      await ops.page.getByLabel("Reason").fill("Cold on arrival");
      await press(ops, "Give back €2.00");
      await shows(ops, "Refunded");
      await customer.page.getByRole("button", { name: /Trattoria Prova/ }).click();
      await shows(customer, "Refunded");
    });

    await t.test("R-PRO-4: the shell opens without a network", async (t) => {
      await visit(customer, "Discover");
      await shellKept(customer);
      await customer.context.setOffline(true);
      customer.line.set("cut");
      await customer.page.reload();
      await customer.page.getByRole("link", { name: "Discover" }).waitFor();
      await shows(customer, /That did not work|No network|Slow/);
      t.pass("the page is there");
    });
  },
);
