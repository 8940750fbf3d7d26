/**
 * Reads TypeScript source far enough for the layout's rules: which characters are comment, text or code, and what a file
 * imports. It is no compiler: it knows strings, templates, regular expressions and comments, and nothing of types.
 */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** `type`: erased by the compiler, so it makes no cycle. `worker`: a script that the file starts by its path. */
  readonly kind: "value" | "type" | "worker";
  readonly line: number;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  /** The same length and lines as `text`: comments are blanks, the inside of texts and regular expressions too. */
  readonly code: string;
  /** Comments only, everything else blank. */
  readonly comments: string;
  readonly imports: readonly Import[];
  readonly lines: number;
}

export function readSource(path: string, text: string): Source {
  const { code, comments, withTexts } = mask(text);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { path, text, code, comments, imports: importsOf(withTexts, code), lines };
}

export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let position = 0; position < index; position++) if (text.charCodeAt(position) === 10) line++;
  return line;
}

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|await|yield))\s*$/;

function mask(text: string): { code: string; comments: string; withTexts: string } {
  const code = [...blank(text)];
  const comments = [...blank(text)];
  const withTexts = [...blank(text)];
  /** Depth of braces at which each open template's `${` ends. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const keep = (into: string[], from: number, to: number): void => {
    for (let index = from; index < to; index++) into[index] = text[index]!;
  };
  const closeTemplate = (from: number): number => {
    let end = from;
    while (end < text.length && text[end] !== "`") {
      if (text.startsWith("${", end)) {
        templates.push(depth);
        depth++;
        return end + 2;
      }
      end += text[end] === "\\" ? 2 : 1;
    }
    return end + 1;
  };
  while (at < text.length) {
    const char = text[at]!;
    if (text.startsWith("//", at) || text.startsWith("/*", at)) {
      const block = text[at + 1] === "*";
      const found = text.indexOf(block ? "*/" : "\n", at + 2);
      const end = found < 0 ? text.length : found + (block ? 2 : 0);
      keep(comments, at, end);
      at = end;
    } else if (char === '"' || char === "'") {
      const end = endOfText(text, at);
      keep(withTexts, at, end);
      code[at] = char;
      code[end - 1] = text[end - 1]!;
      at = end;
    } else if (char === "`") {
      at = closeTemplate(at + 1);
    } else if (char === "}" && templates.at(-1) === depth - 1) {
      templates.pop();
      depth--;
      at = closeTemplate(at + 1);
    } else if (char === "/" && BEFORE_REGEX.test(text.slice(Math.max(0, at - 40), at))) {
      at = endOfRegex(text, at);
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      code[at] = char;
      withTexts[at] = char;
      at++;
    }
  }
  return { code: code.join(""), comments: comments.join(""), withTexts: withTexts.join("") };
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Past the closing quote, or the line's end: such a text does not span lines. */
function endOfText(text: string, start: number): number {
  const quote = text[start];
  let at = start + 1;
  while (at < text.length && text[at] !== quote && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return Math.min(text.length, at + 1);
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "/" && !inClass) return at + 1;
  }
  return start + 1;
}

const STATIC = /\b(import|export)\s+(type\s+)?((?:[\w$*\s,{}]|\bas\b)*?)\s*from\s*(["'])([^"'\n]+)\4/g;
const BARE = /\bimport\s*(["'])([^"'\n]+)\1/g;
const DYNAMIC = /\bimport\s*\(\s*(["'])([^"'\n]+)\1\s*\)(\s*\.\s*[A-Z]\w*)?/g;
/** In a file that makes addresses from its own, a text that is a script's path starts that script. */
const SCRIPT = /(["'])(\.\.?\/[\w./-]+\.js)\1/g;

function importsOf(withTexts: string, code: string): readonly Import[] {
  const found: (Import & { readonly index: number })[] = [];
  const add = (index: number, specifier: string, kind: Import["kind"]): void => {
    // A word inside of a text is no import: it is blank in the code.
    if (code[index] !== " ") found.push({ index, specifier, kind, line: lineAt(withTexts, index) });
  };
  for (const match of withTexts.matchAll(STATIC)) {
    const names = (match[3] ?? "").trim();
    const inner = /^\{([\s\S]*)\}$/.exec(names)?.[1];
    const allTypes =
      inner !== undefined &&
      inner.trim() !== "" &&
      inner
        .split(",")
        .filter((name) => name.trim() !== "")
        .every((name) => /^\s*type\s/.test(name));
    add(match.index, match[5]!, match[2] !== undefined || allTypes ? "type" : "value");
  }
  for (const match of withTexts.matchAll(BARE)) add(match.index, match[2]!, "value");
  for (const match of withTexts.matchAll(DYNAMIC)) {
    // `import("./x.js").Name` in a type; a value would await it first.
    add(match.index, match[2]!, match[3] === undefined ? "value" : "type");
  }
  if (code.includes("import.meta.url")) {
    for (const match of withTexts.matchAll(SCRIPT)) {
      if (!found.some(({ specifier }) => specifier === match[2])) add(match.index, match[2]!, "worker");
    }
  }
  return found.sort((a, b) => a.index - b.index).map(({ specifier, kind, line }) => ({ specifier, kind, line }));
}
