/**
 * Planted faults are seen by the suite. Scheduling, lowering, programs and the suite are copied to a folder with imports of
 * all else pointing at the real files, one text is replaced, and rows that the mutant names run in the kernel interpreter.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import type { SuiteOptions } from "../../compiler/conformance/suite.ts";
import type { Row } from "../../compiler/driver/conformance.ts";
import { readProject, root } from "./bind-text.ts";
import { type Mutant, mutants } from "./mutants.ts";

const full = process.env["DSC_FULL"] === "1";
/** The quick suite tries every fourth. */
const tried = mutants.map((m, i) => ({ ...m, i })).filter(({ i }) => full || i % 4 === 0);

const source = join(root, "compiler");
const copied = ["schedule", "program", "conformance", "kernel/lower"];
const isCopied = (path: string): boolean => copied.some((c) => path.startsWith(`${join(source, c)}/`));

interface Suite {
  readonly conformance: (machine: Machine, options: SuiteOptions) => AsyncIterable<Row>;
  readonly interpreterMachine: (cost: Machine["cost"], kernel: Machine["kernel"]) => Machine;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dsc-mutants-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files: readonly string[] = copied.flatMap((c) =>
  readdirSync(join(source, c), { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && f.name.endsWith(".ts") && !f.name.endsWith(".test.ts"))
    .map((f) => relative(source, join(f.parentPath, f.name))),
);
const texts = new Map(files.map((f) => [f, readFileSync(join(source, f), "utf8")]));

/** Imports of what is not copied, by absolute path. */
const pinned = (text: string, file: string): string =>
  text.replace(/from "(\.[^"]+)"/g, (whole, specifier: string) => {
    const target = resolve(dirname(join(source, file)), specifier);
    return isCopied(target) ? whole : `from "${target}"`;
  });

async function suiteWith(name: string, mutant: Pick<Mutant, "file" | "from" | "to"> | null): Promise<Suite> {
  const copy = join(folder, name);
  for (const c of copied)
    cpSync(join(source, c), join(copy, c), { recursive: true, filter: (f) => !f.endsWith(".test.ts") });
  for (const [file, text] of texts) {
    const planted = file === mutant?.file ? text.replace(mutant.from, () => mutant.to) : text;
    if (file === mutant?.file && planted === text) throw new Error(`${file} has no ${mutant.from}`);
    writeFileSync(join(copy, file), pinned(planted, file));
  }
  const load = (file: string): Promise<object> => import(/* @vite-ignore */ join(copy, file));
  return Object.assign(
    {},
    await load("conformance/suite.ts"),
    await load("conformance/interpreter-machine.ts"),
  ) as Suite;
}

/** The first row that fails, and how many there were. */
async function firstFailure(
  { conformance, interpreterMachine }: Suite,
  { only, mostElements = wasmMachine.kernel.mostElements }: Pick<Mutant, "only" | "mostElements">,
): Promise<{ failed: Row | null; rows: number }> {
  const machine = interpreterMachine(wasmMachine.cost, { ...wasmMachine.kernel, mostElements });
  let rows = 0;
  for await (const row of conformance(machine, { only, read: readProject })) {
    rows += 1;
    if (row.outcome === "failed") return { failed: row, rows };
  }
  return { failed: null, rows };
}

describe(`planted faults${full ? "" : " (a fourth of them; all in the full run)"}`, () => {
  test.each(tried)("$file: $what", async ({ i, only, mostElements, ...mutant }) => {
    const tried = { only, ...(mostElements === undefined ? {} : { mostElements }) };
    const { failed, rows } = await firstFailure(await suiteWith(`m${i}`, mutant), tried);
    expect(rows).toBeGreaterThan(0);
    expect(failed, `${rows} rows of "${only}" accept it`).not.toBeNull();
  });
  test("every text that is to be replaced is there", () => {
    for (const { file, from, to } of mutants) {
      expect(texts.get(file)?.includes(from), `${file}: ${from}`).toBe(true);
      expect(to).not.toBe(from);
    }
  });
  test("a copy without a fault passes; a fault that is not there is an error", async () => {
    const suite = await suiteWith("none", null);
    for (const only of ["product", "append of what was given"])
      expect(await firstFailure(suite, { only })).toMatchObject({ failed: null });
    await expect(suiteWith("absent", { file: "program/places.ts", from: "no such text", to: "" })).rejects.toThrow(
      "has no",
    );
  });
});
