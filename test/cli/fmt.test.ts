import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const loose = "fn  double(x: real) =   x*2\n";
const neat = "fn double(x: real) = x * 2\n";
const broken = "fn double(x: real = x * 2\n";
const read = (folder: string, name: string): string => readFileSync(join(folder, name), "utf8");

test("files are formatted in place, and keep their mode and their links", async () => {
  const cwd = project({ "a.ds": loose, "neat.ds": neat, "sub/b.ds": loose });
  chmodSync(join(cwd, "a.ds"), 0o640);
  symlinkSync("a.ds", join(cwd, "link.ds"));
  const long = new Date(1_000_000_000_000);
  utimesSync(join(cwd, "neat.ds"), long, long);
  const { code, out, error } = await dsc(["fmt", "link.ds", "neat.ds", "sub"], { cwd });
  expect({ code, out, error }).toEqual({ code: 0, out: "link.ds\nsub/b.ds\n", error: "" });
  expect([read(cwd, "a.ds"), read(cwd, "sub/b.ds"), read(cwd, "neat.ds")]).toEqual([neat, neat, neat]);
  expect(statSync(join(cwd, "a.ds")).mode & 0o777).toBe(0o640);
  expect(lstatSync(join(cwd, "link.ds")).isSymbolicLink()).toBe(true);
  expect(statSync(join(cwd, "neat.ds")).mtime).toEqual(long);
  expect(readdirSync(cwd).sort()).toEqual(["a.ds", "link.ds", "neat.ds", "package.json", "sub"]);
});

test("without names it takes the working folder, but not what was installed there", async () => {
  const cwd = project({ "a.ds": loose, "node_modules/x/b.ds": loose, ".hidden/c.ds": loose, "d.txt": loose });
  expect(await runInside(["fmt"], cwd)).toEqual({ code: 0, out: "a.ds\n", error: "" });
  expect(read(cwd, "node_modules/x/b.ds")).toBe(loose);
  expect(read(cwd, ".hidden/c.ds")).toBe(loose);
  expect(read(cwd, "d.txt")).toBe(loose);
});

test("a file with syntax errors is never touched", async () => {
  const cwd = project({ "a.ds": broken, "b.ds": loose });
  const { code, out, error } = await runInside(["fmt"], cwd);
  expect({ code, out }).toEqual({ code: 1, out: "b.ds\n" });
  expect(error).toMatch(/error\[DS00\d\d\]/);
  expect(error).toContain("a.ds:1:");
  expect(read(cwd, "a.ds")).toBe(broken);
});

test("--check changes nothing and lists what it would", async () => {
  const cwd = project({ "a.ds": loose, "b.ds": neat });
  expect(await runInside(["fmt", "--check"], cwd)).toEqual({ code: 1, out: "a.ds\n", error: "" });
  expect(read(cwd, "a.ds")).toBe(loose);
  expect(await runInside(["fmt", "--check", "b.ds"], cwd)).toEqual({ code: 0, out: "", error: "" });
});

test("--stdin formats to standard output", async () => {
  const cwd = project({});
  expect(await dsc(["fmt", "--stdin"], { cwd, input: loose })).toEqual({ code: 0, out: neat, error: "" });
  const bad = await dsc(["fmt", "--stdin"], { cwd, input: broken });
  expect(bad).toMatchObject({ code: 1, out: "" });
  expect(bad.error).toContain("<stdin>:1:");
});

test("text that is not UTF-8, and files that are not there, are refused", async () => {
  const bytes = Buffer.concat([Buffer.from("// "), Buffer.from([0xff, 0xfe]), Buffer.from(`\n${loose}`)]);
  const cwd = project({ "a.ds": bytes });
  const { code, error } = await runInside(["fmt", "a.ds", "gone.ds"], cwd);
  expect(code).toBe(3);
  expect(error).toContain("cannot read a.ds: it is not UTF-8 text");
  expect(error).toContain("cannot read gone.ds: there is no such file");
  expect(readFileSync(join(cwd, "a.ds"))).toEqual(bytes);
});

test("--json tells what was done", async () => {
  const cwd = project({ "a.ds": loose, "b.ds": neat, "c.ds": broken });
  const { code, out, error } = await runInside(["fmt", "--json"], cwd);
  expect({ code, error }).toEqual({ code: 1, error: "" });
  const told: { files: { path: string; changed: boolean; diagnostics: { code: string }[] }[] } = JSON.parse(out);
  expect(told.files.map(({ path, changed, diagnostics }) => [path, changed, diagnostics.length > 0])).toEqual([
    ["a.ds", true, false],
    ["b.ds", false, false],
    ["c.ds", false, true],
  ]);
});

test("--explicit writes out what was inferred, and leaves the file as it is", async () => {
  const text = "fn product(w: [O, I], x: [I]) -> y: [O] {\n  y[o] := w[o,i] * x[i]\n}\n";
  const cwd = project({ "a.ds": text });
  const { code, out, error } = await runInside(["fmt", "--explicit", "a.ds"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toContain("sum[i");
  expect(read(cwd, "a.ds")).toBe(text);
});

test("--flat writes a model out without its parent, and wants a model", async () => {
  const parent = `model first {\n  config {\n    D : dim = $.size\n  }\n  weight w : [D] at "w"\n  entry get(i: in D) -> y: real {\n    y := w[i]\n  }\n}\n`;
  const child = `import first from "./first"\n\nmodel second extends first {\n  override weight w : [D] at "v"\n}\n`;
  const cwd = project({ "first.ds": parent, "second.ds": child, "none.ds": neat });
  const { code, out, error } = await runInside(["fmt", "--flat", "second.ds"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toContain("model second");
  expect(out).toContain("entry get");
  expect(out).toContain('"v"');
  expect(out).not.toContain("extends");
  expect(await runInside(["fmt", "--flat", "none.ds"], cwd)).toMatchObject({ code: 1, out: "" });
});
