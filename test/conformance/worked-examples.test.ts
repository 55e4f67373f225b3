/** Each mechanism of the library against numbers worked out by an independent program (inputs: architectures/). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readProject } from "./bind-text.ts";
import { flat, runFragment } from "./run-fragment.ts";
import { type Examples, workedExamples } from "./worked-examples.ts";

const file = join(process.env["DSC_TEST_DATA"] ?? "", "architectures/worked-examples.json");
const found = process.env["DSC_TEST_DATA"] !== undefined && existsSync(file);
const all: Examples = found ? JSON.parse(readFileSync(file, "utf8")) : {};
const examples = found ? workedExamples(all, readProject("std/dsa.ds") ?? "") : [];

/** Half a unit of the tenth digit, and f64 rounding of sums of numbers up to 10. */
const tolerance = (value: number): number => 5e-10 * Math.abs(value) + 100 * 10 * 2 ** -53;

describe.skipIf(!found)(`worked examples${found ? "" : " (skipped without DSC_TEST_DATA)"}`, () => {
  test.each(examples.map((example) => [example.name, example] as const))("%s", async (_, example) => {
    const results = await runFragment(example);
    for (const [name, nested] of Object.entries(example.expected)) {
      const expected = flat(nested);
      expect(expected.length).toBeGreaterThan(0);
      const values = results.get(name) ?? [];
      expect(values, name).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        if (Number.isNaN(value)) return; // not said, as where nothing is visible
        const error = Math.abs((values[i] ?? Number.NaN) - value);
        expect(error, `${name}[${i}] is ${values[i]}, not ${value}`).toBeLessThanOrEqual(
          example.exact === true ? 0 : tolerance(value),
        );
      });
    }
  });
});
