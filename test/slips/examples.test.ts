/** The drafts of the library and the models, as they were: what is found in them is true, and mended in ours. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const examples = join(process.env.DSC_TEST_DATA ?? join(root, "../shared"), "design/language-examples");
const found = existsSync(examples);

/** Missing ranges, an index with the name of a value, sizes that nothing required, an import too many, invented strategies. */
const mended: Readonly<Record<string, readonly string[]>> = {
  "std/compressed.ds": ["DS0213", "DS0232", "DS0232", "DS0232"],
  "std/engram.ds": ["DS0212", "DS0212", "DS0213"],
  "std/mla.ds": ["DS0103", "DS0103"],
  "std/rope.ds": ["DS0212"],
  "std/vision.ds": ["DS0212", "DS0212", "DS0213", "DS0213"],
  "models/janusflow.ds": ["DS0107"],
  "models/deepseek-v4.ds": ["DS0301", "DS0307", "DS0307"],
};

describe.skipIf(!found)(`the drafts${found ? "" : " (skipped: not there, set DSC_TEST_DATA)"}`, () => {
  const files = found
    ? ["std", "models"].flatMap((f) => readdirSync(join(examples, f)).map((name) => `${f}/${name}`))
    : ["none"];
  test.each(files)("%s", (entry) => {
    const read = (path: string): string | null =>
      existsSync(join(examples, path)) ? readFileSync(join(examples, path), "utf8") : null;
    const own = checkProject({ entry, read }).diagnostics.filter((d) => d.primary.span.source.path === entry);
    expect(own.map((d) => d.code).sort()).toEqual(mended[entry] ?? []);
  });
});

test("ours have no finding at all", () => {
  const read = (path: string): string | null => {
    const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  };
  const names = (folder: string): readonly string[] => readdirSync(join(root, folder)).filter((n) => n.endsWith(".ds"));
  const files = [...names("dsl/stdlib").map((n) => `std/${n}`), ...names("models").map((n) => `models/${n}`)];
  expect(files).toHaveLength(26);
  for (const entry of files) expect(checkProject({ entry, read }).diagnostics).toEqual([]);
});
