/** The map's buttons. */

import { camera } from "../../../shared/map/city-view.js";
import { theme, toggleTheme } from "../../../shared/theme.js";
import { FrameIcon, MinusIcon, MoonIcon, PlusIcon, SunIcon } from "./icons.js";

export function Controls() {
  const dark = theme.value === "dark";
  return (
    <section class="controls" aria-label="Map">
      <div class="surface zoom">
        <button type="button" aria-label="Zoom in" onClick={() => camera.zoomBy(1)}>
          <PlusIcon />
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => camera.zoomBy(-1)}>
          <MinusIcon />
        </button>
      </div>
      <div class="surface">
        <button
          type="button"
          aria-label="Show the whole city"
          title="Show the whole city"
          onClick={() => camera.showAll()}
        >
          <FrameIcon />
        </button>
        <button
          type="button"
          aria-label={dark ? "Light colours" : "Dark colours"}
          title={dark ? "Light colours" : "Dark colours"}
          onClick={toggleTheme}
        >
          {dark ? <SunIcon /> : <MoonIcon />}
        </button>
      </div>
    </section>
  );
}
