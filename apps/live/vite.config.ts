import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  // The node may serve the page below any path.
  base: "./",
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: here("../../dist/apps/live"),
    emptyOutDir: true,
    target: "es2022",
    // The map library alone is larger than the limit that the bundler warns from.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      treeshake: {
        // The wire contract's door also opens to schemas and validators, which a page that only listens never runs.
        moduleSideEffects: (id) => id.endsWith(".css") || id.endsWith("main.tsx") || id.includes(".html"),
        manualPureFunctions: ["Strict", "Text", "Count", "Type"],
      },
    },
  },
});
