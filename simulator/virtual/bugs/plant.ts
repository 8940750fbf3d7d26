/**
 * Puts changes into modules that are loaded already, by the engine's own live editing, and takes them out again: one
 * process can so be broken in one place after the other, with code that is warm.
 *
 * Owns: which text each module has now. Invariants: either all patches of a bug are in place or none is; afterwards every
 * module has the text it came with; a patch that does not fit its module is an error.
 */
import { type Debugger, Session } from "node:inspector";
import { pathToFileURL } from "node:url";
import { type Patch, replaceOnce } from "./patch.js";

/** A function that is to be changed is under way and can never be changed in this process: another one can do it. */
export class UnderWay extends Error {
  override readonly name = "UnderWay";
}

export interface Planter {
  /** `file`: absolute. Resolves with how to take all of them out again. Throws `UnderWay`; then nothing is changed. */
  plant(patches: readonly Patch[]): Promise<() => Promise<void>>;
  close(): void;
}

/** Modules that are loaded later are known as well. */
export async function createPlanter(): Promise<Planter> {
  const session = new Session();
  const scripts = new Map<string, string>();
  session.connect();
  session.on("Debugger.scriptParsed", ({ params }) => scripts.set(params.url, params.scriptId));
  await new Promise<void>((resolve, reject) =>
    session.post("Debugger.enable", (error) => (error === null ? resolve() : reject(error))),
  );

  function sourceOf(scriptId: string): Promise<string> {
    return new Promise((resolve, reject) => {
      session.post("Debugger.getScriptSource", { scriptId }, (error, { scriptSource }) =>
        error === null ? resolve(scriptSource) : reject(error),
      );
    });
  }

  /** `status` came with newer versions of the protocol than the types know. */
  type Answer = Debugger.SetScriptSourceReturnType & { readonly status?: string };

  function change(url: string, scriptId: string, scriptSource: string): Promise<void> {
    return new Promise((resolve, reject) => {
      session.post("Debugger.setScriptSource", { scriptId, scriptSource }, (error, answer: Answer) => {
        if (error !== null) return reject(error);
        if (answer.status === "Ok") return resolve();
        const detail = answer.exceptionDetails?.exception?.description ?? answer.exceptionDetails?.text ?? "";
        const problem = `${url} cannot be changed: ${answer.status ?? ""} ${detail}`;
        reject(answer.status?.startsWith("BlockedByActive") === true ? new UnderWay(problem) : new Error(problem));
      });
    });
  }

  return {
    async plant(patches) {
      const before = new Map<string, string>();
      const after = new Map<string, string>();
      const idOf = (url: string): string => {
        const id = scripts.get(url);
        if (id === undefined) throw new Error(`${url} is not part of what the simulation runs`);
        return id;
      };
      for (const { file, find, replace } of patches) {
        const url = pathToFileURL(file).href;
        if (!before.has(url)) before.set(url, await sourceOf(idOf(url)));
        after.set(url, replaceOnce(after.get(url) ?? (before.get(url) as string), find, replace, file));
      }
      const changed: string[] = [];
      const restore = async (): Promise<void> => {
        for (const url of changed.splice(0)) await change(url, idOf(url), before.get(url) as string);
      };
      try {
        for (const [url, text] of after) {
          await change(url, idOf(url), text);
          changed.push(url);
        }
      } catch (error) {
        await restore();
        throw error;
      }
      return restore;
    },
    close: () => session.disconnect(),
  };
}
