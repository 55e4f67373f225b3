import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { formatSource } from "../../dsl/format/format.ts";
import { parse } from "../../dsl/parser/parse.ts";
import { cpuTime } from "./cpu-time.ts";
import { runCases } from "./run-cases.ts";

const full = process.env.DSC_FULL === "1";

describe("no text brings an exception or hangs", () => {
  const runs = full ? 20 : 1;
  const count = full ? 1000 : 200; // a hundred thousand by `npm run fuzz`
  for (let run = 0; run < runs; run += 1) {
    test(`${count} texts from seed ${run * count + 1}`, { timeout: 900_000 }, () => {
      const outcome = runCases(run * count + 1, count);
      expect(outcome.failures.map((f) => `seed ${f.seed}: ${f.error}`)).toEqual([]);
      expect(outcome.slowest.ms).toBeLessThan(5000);
    });
  }
});

/** Texts nested or long beyond reason, with the codes that may be said of them; none is an exception. */
const monsters: readonly (readonly [name: string, text: string, code: string])[] = [
  ["10,000 open parentheses", `fn f(x: real) = ${"(".repeat(10_000)}`, "DS0008"],
  ["10,000 nested parentheses", `fn f(x: real) = ${"(".repeat(10_000)}x${")".repeat(10_000)}`, "DS0008"],
  ["10,000 open brackets", `fn f(x: real) = x${"[".repeat(10_000)}`, "DS0008"],
  ["10,000 open braces", `fn f(x: real) = ${"{".repeat(10_000)}`, "DS0008"],
  ["10,000 minuses", `fn f(x: real) = ${"- ".repeat(10_000)}x`, "DS0008"],
  ["10,000 nots", `fn f(x: bool) = ${"not ".repeat(10_000)}x`, "DS0008"],
  ["10,000 powers", `fn f(x: real) = ${"x ^ ".repeat(10_000)}x`, "DS0008"],
  ["10,000 conditionals", `fn f(x: real) = ${"true ? x : ".repeat(10_000)}x`, "DS0008"],
  ["10,000 else ifs", `block b(x: [D]) -> y: [D] { ${"if true { } else ".repeat(10_000)} { } }`, "DS0008"],
  ["a sum of 20,000 terms", `fn f(x: real) = ${"x + ".repeat(20_000)}x`, "DS0008"],
  [
    "10,000 nested subscripts",
    `fn f(x: [D]) -> y: [D] { y[d] := ${"x[".repeat(10_000)}d${"]".repeat(10_000)} }`,
    "DS0008",
  ],
  [
    "3,000 indices in a bracket",
    `fn f(x: [D]) -> y: [D] { y[d] := x[${Array.from({ length: 3000 }, (_, i) => `k${i}`).join(",")}] }`,
    "DS0203",
  ],
  ["a number of 10,000 digits", `fn f(x: real) = x + ${"9".repeat(10_000)}`, "DS0004"],
  ["a name of 100,000 letters", `fn f(x: real) = ${"y".repeat(100_000)}`, "DS0101"],
];

describe("monsters are refused", () => {
  test.each(monsters)("%s", (_name, text, code) => {
    const started = cpuTime();
    const { diagnostics } = checkProject({ entry: "main.ds", read: (path) => (path === "main.ds" ? text : null) });
    formatSource(makeSource("main.ds", text));
    expect(cpuTime() - started).toBeLessThan(5000);
    expect(diagnostics.map((d) => d.code)).toContain(code);
  });

  test("2,000 equations and 2,000 imports are read in linear time", () => {
    const equations = Array.from({ length: 2000 }, (_, i) => `  a${i + 1}[d] := a${i}[d] + 1`).join("\n");
    const text = `fn f(x: [D]) -> y: [D] {\n  a0 := x\n${equations}\n  y := a2000\n}\n`;
    const started = cpuTime();
    expect(checkProject({ entry: "main.ds", read: () => text }).diagnostics).toEqual([]);
    const imports = Array.from({ length: 2000 }, (_, i) => `import a${i} from "./f${i}"`).join("\n");
    expect(parse(makeSource("main.ds", imports)).file.imports).toHaveLength(2000);
    expect(cpuTime() - started).toBeLessThan(4000);
  });
});
