/** A real browser for tests of pages: Chromium, found on the machine or installed with apt by root on Debian. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { processEnvironment } from "../../config/mod.js";
import { installPackages } from "./servers.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function findBrowser(): string | null {
  const places = [...(processEnvironment().PATH ?? "").split(delimiter), "/usr/bin"];
  return NAMES.flatMap((name) => places.map((place) => join(place, name))).find((path) => existsSync(path)) ?? null;
}

/** For the options of a test: why it cannot run here, or false. With `CI` set the runner counts a skip as a failure. */
export function missingBrowser(): string | false {
  return findBrowser() === null ? "chromium is not installed" : false;
}

/** Installs it where that is possible. Returns what is missing and what to do about it, or null. */
export async function ensureBrowser(say: (line: string) => void): Promise<string | null> {
  if (findBrowser() !== null) return null;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say("installing chromium for the tests of pages");
    await installPackages(["chromium"]).catch((error: Error) => say(`apt-get: ${error.message.split("\n")[0]}`));
  }
  return findBrowser() === null
    ? "chromium is not installed. Install it (on Debian: apt-get install chromium) and run the tests again."
    : null;
}

export function openBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === null) throw new Error("chromium is not installed; `npm test` installs it.");
  return chromium.launch({ executablePath, args: FLAGS });
}
