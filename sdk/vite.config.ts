/**
 * The client as one file: `swift-eats.js` for pages, and with `--mode node` `node.js` for programs, which leaves `ws` to be
 * installed.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => {
  const entry: Record<string, string> =
    mode === "node" ? { node: here("./node.ts") } : { "swift-eats": here("./mod.ts") };
  return {
    root: here("."),
    publicDir: false,
    build: {
      // Every node serves it, for pages of five lines.
      outDir: here("../dist/apps/pages/sdk"),
      emptyOutDir: false,
      target: "es2022",
      lib: { entry, formats: ["es"] },
      rolldownOptions: {
        external: ["ws", /^node:/],
        output: { minify: true },
        treeshake: {
          // The wire contract's door also opens to schemas and validators, which a client never runs.
          moduleSideEffects: false,
          propertyReadSideEffects: false,
          manualPureFunctions: ["Strict", "Text", "Count", "Type", "operations", "oneOf"],
        },
      },
    },
  };
});
