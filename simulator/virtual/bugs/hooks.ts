/** Runs beside a process whose product is broken: changes the text of its modules on their way in. */
import type { LoadFnOutput, LoadHookContext } from "node:module";
import { type Patch, replaceOnce } from "./patch.js";

/** `file` as a URL. */
let patches: readonly Patch[] = [];

/** What a patched module leaves behind, so that it can be told that each patch was really at work. */
export const MARK = "swiftEatsPlanted";

export function initialize(data: readonly Patch[]): void {
  patches = data;
}

export async function load(
  url: string,
  context: LoadHookContext,
  next: (url: string, context?: LoadHookContext) => LoadFnOutput | Promise<LoadFnOutput>,
): Promise<LoadFnOutput> {
  const loaded = await next(url, context);
  const mine = patches.filter(({ file }) => file === url);
  if (mine.length === 0) return loaded;
  const { source } = loaded;
  let text = typeof source === "string" ? source : new TextDecoder().decode(source as Uint8Array);
  for (const { find, replace, file } of mine) text = replaceOnce(text, find, replace, file);
  return { ...loaded, source: `${text}\n(globalThis.${MARK} ??= new Set()).add(${JSON.stringify(url)});\n` };
}
