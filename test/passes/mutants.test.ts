/**
 * Planted faults are caught. The passes are copied to a folder with their imports pointing at the real files beside them,
 * one text is replaced, and the law that the mutant names must refuse the copy.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { laws } from "./laws.ts";
import { type Mutant, mutants } from "./mutants.ts";
import type { PassSet } from "./pass-set.ts";

const source = fileURLToPath(new URL("../../compiler/passes", import.meta.url));
const full = process.env["DSC_FULL"] === "1";
/** Every fault takes a copy of the passes and up to a second: the quick suite tries every third. */
const tried = mutants.filter((_, i) => full || i % 3 === 0);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dsc-mutants-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = (): readonly string[] =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && f.name.endsWith(".ts") && !f.name.endsWith(".test.ts"))
    .map((f) => relative(source, join(f.parentPath, f.name)));

/** Imports of what lies outside of the passes, by absolute path. */
const pinned = (text: string, file: string): string =>
  text.replace(/from "(\.[^"]+)"/g, (whole, specifier: string) => {
    const target = resolve(dirname(join(source, file)), specifier);
    return target.startsWith(`${source}/`) ? whole : `from "${target}"`;
  });

async function passesWith(name: string, mutant: Pick<Mutant, "file" | "from" | "to"> | null): Promise<PassSet> {
  const copy = join(folder, name);
  cpSync(source, copy, { recursive: true, filter: (f) => !f.endsWith(".test.ts") });
  for (const file of files()) {
    const text = readFileSync(join(source, file), "utf8");
    const planted = file === mutant?.file ? text.replace(mutant.from, () => mutant.to) : text;
    if (file === mutant?.file && planted === text) throw new Error(`${file} has no ${mutant.from}`);
    writeFileSync(join(copy, file), pinned(planted, file));
  }
  const load = (file: string): Promise<object> => import(/* @vite-ignore */ join(copy, file));
  const modules = await Promise.all(
    [
      "associate.ts",
      "fold-reductions.ts",
      "fuse.ts",
      "group-by-selection.ts",
      "grouping/group-by.ts",
      "outline-factors.ts",
      "outline-rows.ts",
      "restrict-to-demand.ts",
      "select-all.ts",
      "simplify-indices.ts",
      "split-concat.ts",
    ].map(load),
  );
  return Object.assign({}, ...modules) as PassSet;
}

describe(`planted faults${full ? "" : " (a third of them; all in the full run)"}`, () => {
  test.each(tried.map((m, i) => ({ ...m, i })))("$file: $what", async (mutant) => {
    const passes = await passesWith(`m${mutant.i}`, mutant);
    expect(() => laws[mutant.law](passes), `"${mutant.law}" accepts it`).toThrow();
  });
  test("a copy without a fault keeps the laws; a fault that is not there is an error", async () => {
    const passes = await passesWith("none", null);
    for (const law of ["experts, all passes", "scores of ten thousand"] as const) laws[law](passes);
    await expect(passesWith("absent", { file: "fuse.ts", from: "no such text", to: "" })).rejects.toThrow("has no");
  });
});
