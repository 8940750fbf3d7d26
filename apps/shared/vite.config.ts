import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const APPS = ["customer", "driver", "restaurant", "ops"].filter((app) => existsSync(here(`../${app}/index.html`)));
const COMPRESSED = /\.(?:js|mjs|css|html|svg|webmanifest)$/;
const WORTH_COMPRESSING_BYTES = 1024;

/** Beside each file its compressed form: the node sends it as it is. */
function compress(): Plugin {
  return {
    name: "swift-eats-compress",
    apply: "build",
    // Not before: the bundler finishes its texts at the very end.
    writeBundle({ dir }, bundle) {
      for (const fileName of Object.keys(bundle)) {
        if (dir === undefined || !COMPRESSED.test(fileName)) continue;
        const bytes = readFileSync(join(dir, fileName));
        if (bytes.length >= WORTH_COMPRESSING_BYTES)
          writeFileSync(join(dir, `${fileName}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/** The four apps. They share their chunks: who has opened one has most of the others. */
export default defineConfig({
  root: here(".."),
  base: "/",
  publicDir: here("./public"),
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [compress()],
  build: {
    outDir: here("../../dist/apps/pages"),
    emptyOutDir: true,
    target: "es2022",
    // The map library alone is larger than the limit that the bundler warns from.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: {
        ...Object.fromEntries(APPS.map((app) => [app, here(`../${app}/index.html`)])),
        sw: fileURLToPath(new URL("./pwa/service-worker.ts", import.meta.url)),
      },
      output: {
        // A service worker is known by its address.
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
      treeshake: {
        // The wire contract's door also opens to schemas and validators, which a page that only listens never runs.
        moduleSideEffects: (id) =>
          id.endsWith(".css") ||
          id.endsWith("main.tsx") ||
          id.endsWith("service-worker.ts") ||
          id.endsWith("line/node.ts") ||
          id.includes(".html"),
        manualPureFunctions: ["Strict", "Text", "Count", "Type", "operations", "oneOf"],
      },
    },
  },
});
