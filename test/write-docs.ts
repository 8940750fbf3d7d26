/** `npm run docs`: writes the parts of the documents that come from the code. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { documents } from "./support/documents.js";
import { ROOT } from "./support/project.js";

for (const [path, text] of documents()) {
  writeFileSync(join(ROOT, path), text);
  console.log(`wrote ${path}`);
}
