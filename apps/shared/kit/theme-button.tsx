/** Light or dark, by one touch. */
import { theme, toggleTheme } from "../theme.js";
import { IconButton } from "./controls.js";
import { MoonIcon, SunIcon } from "./icons.js";

export function ThemeButton() {
  const dark = theme.value === "dark";
  return (
    <IconButton label={dark ? "Light colours" : "Dark colours"} onClick={toggleTheme}>
      {dark ? <SunIcon /> : <MoonIcon />}
    </IconButton>
  );
}
