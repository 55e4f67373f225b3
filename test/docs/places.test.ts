/** Places that documents name are there: files move, and what is written of them stays. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../conformance/bind-text.ts";

const left = new Set(["node_modules", "dist", ".git"]);
const places: readonly string[] = (() => {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (left.has(entry.name)) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      found.push(path);
      if (entry.isDirectory()) visit(path);
    }
  };
  visit("");
  return found;
})();
const isPlace = (path: string): boolean => places.some((p) => p === path || p.endsWith(`/${path}`));

const documents = places.filter((p) => p.endsWith(".md") && !p.includes("diagnostics/pages/"));
const text = (path: string): string => readFileSync(join(root, path), "utf8");

test("no document holds two versions of itself", () => {
  for (const path of documents) expect(text(path), path).not.toMatch(/^(<<<<<<<|>>>>>>>) /m);
});

/** Lines of the map: what stands where, by indentation. */
const map = /```text\n(dsl\/[\s\S]*?)```/.exec(text("ARCHITECTURE.md"))?.[1] ?? "";
const mapped = ((): readonly string[] => {
  const folders: string[] = [];
  return map.split("\n").flatMap((line) => {
    const [, indent = "", names = ""] = /^( {0,6})(\S+(?: \S+)*?)(?: {2}|$)/.exec(line) ?? [];
    const depth = indent.length / 2;
    if (names === "" || !Number.isInteger(depth)) return [];
    const of = names.split(" ").map((name) => [...folders.slice(0, depth), name].join("/").replace(/\/+/g, "/"));
    if (of.length === 1 && names.endsWith("/")) folders.splice(depth, folders.length, names);
    return of;
  });
})();

test("the map of ARCHITECTURE.md", () => {
  expect(mapped.length).toBeGreaterThan(60);
  for (const place of mapped) {
    const [before = "", behind = ""] = place.replace(/\/$/, "").split("*");
    const fits = (p: string): boolean => p.startsWith(before) && p.endsWith(behind);
    const there = place.includes("*") ? places.some(fits) : places.includes(before);
    expect(there, `there is no ${place}`).toBe(true);
  }
});

/** Words in backticks that can only be files of the repository; those of packages and checkpoints are in docs/. */
const named = /`([A-Za-z0-9_./-]+\.ts|(?:dsl|compiler|backends|runtime|test|docs|models)\/[A-Za-z0-9_./-]+)`/g;

/** Of CONTRIBUTING.md: how a file is called. */
const examples: ReadonlySet<string> = new Set([".ts", "kebab-case.ts", "axis.test.ts"]);

test.each(documents.filter((p) => !p.startsWith("docs/") && p !== "CHANGELOG.md"))("files that %s names", (path) => {
  const of = text(path).matchAll(named);
  for (const [, name = ""] of of) {
    if (examples.has(name)) continue;
    const there = isPlace(name.replace(/\/$/, "")) || places.some((p) => p.startsWith(`${name}-`));
    expect(there, `${path} names ${name}`).toBe(true);
  }
});
