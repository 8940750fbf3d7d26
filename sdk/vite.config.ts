/** The client as one file for pages (`swift-eats.js`), and one for programs on Node that leaves `ws` to be installed. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  publicDir: false,
  build: {
    // Every node serves it, for pages of five lines.
    outDir: here("../dist/apps/pages/sdk"),
    emptyOutDir: false,
    target: "es2022",
    lib: {
      entry: { "swift-eats": here("./mod.ts"), node: here("./node.ts") },
      formats: ["es"],
    },
    rolldownOptions: {
      external: ["ws", /^node:/],
      output: { chunkFileNames: "[name].js" },
      treeshake: {
        // The wire contract's door also opens to schemas and validators, which a client never runs.
        moduleSideEffects: false,
        manualPureFunctions: ["Strict", "Text", "Count", "Type", "operations", "oneOf"],
      },
    },
  },
});
