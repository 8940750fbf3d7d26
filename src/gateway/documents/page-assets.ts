/** The look of the page, and the script that filters it. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --paper: #fff; --line: #d9dee4; --box: #f4f6f8; --accent: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a0a9b4; --paper: #14171a; --line: #333a42; --box: #1d2226; --accent: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { margin: 0; font-size: 1.7rem; } h1 small { color: var(--soft); font-size: 1rem; font-weight: 400; }
h2 { margin: 2rem 0 .5rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); text-transform: capitalize; }
h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
a { color: var(--accent); }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: var(--box); border: 1px solid var(--soft); border-radius: .4rem; }
input:focus-visible, summary:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1rem; margin-top: .5rem; }
details { margin: .35rem 0; border: 1px solid var(--line); border-radius: .4rem; }
details[open] { padding-bottom: .75rem; } details > :not(summary) { margin-left: .75rem; margin-right: .75rem; }
summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
.says { color: var(--soft); }
.method { display: inline-block; min-width: 4.2em; padding: 0 .4em; border-radius: .25rem; text-align: center; font: 600 .8rem/1.7 ui-monospace, monospace; color: #fff; background: #3d6b21; }
.method.post { background: #1a5fb4; } .method.put { background: #8a5300; } .method.delete { background: #a51d2d; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { margin-top: .25rem; padding: .6rem .75rem; overflow-x: auto; background: var(--box); border-radius: .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin-bottom: 0; } dt { color: var(--soft); } dd { margin: 0; }
ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
[hidden] { display: none !important; }
`;

export const PAGE_SCRIPT = `"use strict";
const field = document.getElementById("filter");
const found = document.getElementById("found");
const things = [...document.querySelectorAll("[data-find]")].map((element) => ({ element, text: element.textContent.toLowerCase() }));
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const { element, text } of things) {
    element.hidden = !words.every((word) => text.includes(word));
    if (!element.hidden) count++;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = words.length > 0 && section.querySelector("[data-find]:not([hidden])") === null;
  }
  found.textContent = words.length === 0 ? "" : count + " found";
});
const opened = () => {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", opened);
opened();
`;
