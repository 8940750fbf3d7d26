/** Light or dark: the system's choice until the person makes one, which is then kept on this device. */
import { signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "swift-eats.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    // Storage may be forbidden; then nothing is remembered.
    return null;
  }
}

export const theme = signal<Theme>(chosen() ?? (systemDark.matches ? "dark" : "light"));

function apply(): void {
  document.documentElement.dataset.theme = theme.value;
}

export function startTheme(): void {
  apply();
  systemDark.addEventListener("change", () => {
    if (chosen() !== null) return;
    theme.value = systemDark.matches ? "dark" : "light";
    apply();
  });
}

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  apply();
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** The value of a custom property as the present theme has it. */
export function themeColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
