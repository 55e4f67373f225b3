/** The page as packages carry it: what is in it, how large it is, and the places that are filled in. */
import { beforeAll, expect, test } from "vitest";
import { bundlePage } from "../../compiler/cli/bundle/bundle-page.ts";
import type { Bundle } from "../../compiler/cli/bundle/bundle-runtime.ts";
import { packageFacts } from "../../compiler/package/package-facts.ts";
import { pageFiles } from "../../compiler/package/page-files.ts";
import { root } from "../conformance/bind-text.ts";
import { tinyProgram } from "../runtime/tiny-program.ts";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundlePage(root, "page");
}, 60_000);
const textOf = (name: string): string =>
  new TextDecoder().decode(bundle.files.find((file) => file.name === name)?.content);

test("is small, and needs nothing but the package that it stands in", () => {
  expect(bundle.files.map(({ name }) => name)).toEqual([
    "LICENSES",
    "icon.svg",
    "page.css",
    "page.html",
    "page.js",
    "worker.js",
  ]);
  const carried = bundle.files.filter(({ name }) => name !== "LICENSES");
  expect(carried.reduce((n, { content }) => n + content.length, 0)).toBeLessThan(60_000);
  for (const name of ["page.js", "worker.js"]) {
    const text = textOf(name);
    expect(text).not.toMatch(/(?:^|[;}\s])(?:import|export)\s*(?:["'{*]|\w+\s+from)/);
    expect(text).not.toMatch(/\beval\(|new Function\(|innerHTML|insertAdjacentHTML|document\.write/);
  }
  // What it knows of the runtime are types and the errors' codes: the package brings the rest.
  for (const source of Object.keys(bundle.inputs)) expect(source).toMatch(/^runtime\/page\//);
});

test("every element that the script looks for stands in the text, once", () => {
  const html = textOf("page.html");
  const ids = [...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const wanted = [...textOf("page.js").matchAll(/\("([a-z]+(?:-[a-z]+)*)",HTML\w*Element\)/g)].map(([, id]) => id);
  expect(wanted.length).toBeGreaterThan(20);
  for (const id of wanted) expect(ids).toContain(id);
});

test("the model's name and the weights' address are texts in it, whatever they hold", () => {
  const facts = { ...packageFacts(tinyProgram, "wasm", []), model: `a<b>&"c'` };
  const files = pageFiles(facts, bundle.files, `weights/?token="><script>`);
  expect(files.map(({ name }) => name)).toEqual([
    "page/icon.svg",
    "page/page.css",
    "index.html",
    "page/page.js",
    "page/worker.js",
  ]);
  const html = String(files.find(({ name }) => name === "index.html")?.content);
  expect(html).toContain("<h1>a&#60;b&#62;&#38;&#34;c&#39;</h1>");
  expect(html).toContain(`name="dsc-weights" content="weights/?token=&#34;&#62;&#60;script&#62;"`);
  expect(html).not.toContain("{{");
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(String(pageFiles(facts, bundle.files, null).find(({ name }) => name === "index.html")?.content)).toContain(
    'name="dsc-weights" content=""',
  );
});
