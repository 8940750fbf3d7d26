/**
 * Which handler a path finds, as the native router has it: of two that fit, a literal part goes before a parameter and a
 * parameter before the rest of the path; a method's own handlers go before those for any method.
 */

export interface Found<Handler> {
  readonly handler: Handler;
  /** In the order of the path. */
  readonly parameters: readonly string[];
}

interface Branch<Handler> {
  readonly literal: Map<string, Branch<Handler>>;
  parameter: Branch<Handler> | null;
  handler: Handler | null;
  /** `/*` */
  rest: Handler | null;
}

const branch = <Handler>(): Branch<Handler> => ({ literal: new Map(), parameter: null, handler: null, rest: null });

export class Routes<Handler> {
  readonly #methods = new Map<string, Branch<Handler>>();

  /** `method` in lower case; `*` for any. */
  add(method: string, pattern: string, handler: Handler): void {
    let at = this.#methods.get(method);
    if (at === undefined) {
      at = branch();
      this.#methods.set(method, at);
    }
    for (const part of pattern.slice(1).split("/")) {
      if (part === "*") {
        at.rest = handler;
        return;
      }
      if (part.startsWith(":")) {
        at.parameter ??= branch();
        at = at.parameter;
        continue;
      }
      let next = at.literal.get(part);
      if (next === undefined) {
        next = branch();
        at.literal.set(part, next);
      }
      at = next;
    }
    at.handler = handler;
  }

  find(method: string, path: string): Found<Handler> | null {
    const parts = path.slice(1).split("/");
    for (const name of [method, "*"]) {
      const top = this.#methods.get(name);
      const found = top === undefined ? null : search(top, parts, 0, []);
      if (found !== null) return found;
    }
    return null;
  }
}

function search<Handler>(
  at: Branch<Handler>,
  parts: readonly string[],
  from: number,
  parameters: readonly string[],
): Found<Handler> | null {
  const part = parts[from];
  if (part === undefined) return at.handler === null ? null : { handler: at.handler, parameters };
  const literal = at.literal.get(part);
  if (literal !== undefined) {
    const found = search(literal, parts, from + 1, parameters);
    if (found !== null) return found;
  }
  if (at.parameter !== null && part !== "") {
    const found = search(at.parameter, parts, from + 1, [...parameters, part]);
    if (found !== null) return found;
  }
  return at.rest === null ? null : { handler: at.rest, parameters };
}
