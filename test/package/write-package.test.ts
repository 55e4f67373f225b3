import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refusedPlace, writePackage } from "../../compiler/cli/write-package.ts";

let place = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "dsc-write-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const packageOf = (files: Readonly<Record<string, string>>) => [
  ...Object.entries(files).map(([name, content]) => ({ name, content })),
  { name: "package.json", content: JSON.stringify({ dsc: {}, files: Object.keys(files) }) },
];
const first = packageOf({ "index.js": "1", "kernels/simd.wasm": "a", "kernels/old.wasm": "b" });
const second = packageOf({ "index.js": "2", "kernels/simd.wasm": "c" });
const all = (folder: string): readonly string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();

test("a folder appears with all its files, and an earlier package is replaced as a whole", async () => {
  const folder = join(place, "deep/er/out");
  expect(await writePackage(folder, "out", first)).toBeNull();
  expect(all(folder)).toEqual(["index.js", "kernels", "kernels/old.wasm", "kernels/simd.wasm", "package.json"]);
  expect(await writePackage(folder, "out", second)).toBeNull();
  expect(all(folder)).toEqual(["index.js", "kernels", "kernels/simd.wasm", "package.json"]);
  expect(readFileSync(join(folder, "index.js"), "utf8")).toBe("2");
  expect(readdirSync(join(place, "deep/er"))).toEqual(["out"]);
});

test("an empty folder is taken", async () => {
  const folder = join(place, "out");
  mkdirSync(folder);
  expect(await writePackage(folder, "out", first)).toBeNull();
  expect(existsSync(join(folder, "index.js"))).toBe(true);
});

test("what is no package is left alone", async () => {
  const folder = join(place, "out");
  mkdirSync(folder);
  writeFileSync(join(folder, "notes.txt"), "mine");
  expect((await refusedPlace(folder, "out"))?.message).toMatch(/out is not replaced: .* something else than a package/);
  expect(await writePackage(folder, "out", first)).not.toBeNull();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "mine", files: ["notes.txt"] }));
  expect(await writePackage(folder, "out", first)).not.toBeNull();
  writeFileSync(join(folder, "package.json"), "{");
  expect(await writePackage(folder, "out", first)).not.toBeNull();
  expect(all(folder)).toEqual(["notes.txt", "package.json"]);
  const file = join(place, "file");
  writeFileSync(file, "");
  expect((await refusedPlace(file, "file"))?.message).toContain("it is a file");
});

test("a package with a file that dsc has not written is left alone", async () => {
  const folder = join(place, "out");
  await writePackage(folder, "out", first);
  writeFileSync(join(folder, "kernels/mine.txt"), "mine");
  expect((await writePackage(folder, "out", second))?.message).toContain(
    "kernels/mine.txt in it is not part of a package",
  );
  expect(readFileSync(join(folder, "index.js"), "utf8")).toBe("1");
});

test("a failure leaves everything as it was", async () => {
  const folder = join(place, "out");
  await writePackage(folder, "out", first);
  const clash = [...second, { name: "index.js/deeper", content: "a file where another file is a folder" }];
  expect((await writePackage(folder, "out", clash))?.exitCode).toBe(3);
  expect(readFileSync(join(folder, "index.js"), "utf8")).toBe("1");
  expect(readdirSync(place)).toEqual(["out"]);
});

test.skipIf(process.getuid?.() === 0)(
  "a folder that may not be written to is told (skipped for root, who may)",
  async () => {
    chmodSync(place, 0o500);
    expect((await writePackage(join(place, "out"), "out", first))?.message).toContain("permission denied");
    chmodSync(place, 0o700);
  },
);
