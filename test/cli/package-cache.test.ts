/** Packages that are kept for the next run: found, made anew where they are damaged, and done without where nothing can be kept. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { keptPackage, storePackage } from "../../compiler/cli/package-cache.ts";
import type { PackageFile } from "../../compiler/package/package-file.ts";

const key = "0123456789abcdef0123456789abcdef";
const files: readonly PackageFile[] = [
  { name: "index.js", content: "export const x = 1;\n" },
  { name: "kernels/simd.wasm", content: Uint8Array.of(0, 97, 115, 109) },
];
function cache(): string {
  const folder = mkdtempSync(join(tmpdir(), "dsc-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "cache");
}
const read = (folder: string): readonly string[] => files.map(({ name }) => readFileSync(join(folder, name), "utf8"));
const whole = ["export const x = 1;\n", "\0asm"];

test("what was stored is found, under its key alone, and nothing else lies about", () => {
  const at = cache();
  expect(keptPackage(at, key)).toBeNull();
  expect(storePackage(at, key, files)).toEqual({ folder: join(at, key), unkept: null });
  expect(keptPackage(at, key)).toBe(join(at, key));
  expect(read(join(at, key))).toEqual(whole);
  expect(keptPackage(at, key.replace("0", "f"))).toBeNull();
  expect(readdirSync(at)).toEqual([key]);
});

test.each([
  [
    "a byte that has changed",
    (at: string) => writeFileSync(join(at, "kernels/simd.wasm"), Uint8Array.of(0, 97, 115, 108)),
  ],
  ["a file that is cut off", (at: string) => writeFileSync(join(at, "index.js"), "export")],
  ["a file that is missing", (at: string) => rmSync(join(at, "index.js"))],
  ["a list that is missing", (at: string) => rmSync(join(at, "SHA256SUMS"))],
  ["a list that is empty", (at: string) => writeFileSync(join(at, "SHA256SUMS"), "")],
  [
    "a list that says other files",
    (at: string) => writeFileSync(join(at, "SHA256SUMS"), `${"0".repeat(64)}  index.js\n`),
  ],
])("%s is found out, and the package is put there again", (_, damage) => {
  const at = cache();
  const { folder } = storePackage(at, key, files);
  damage(folder);
  expect(keptPackage(at, key)).toBeNull();
  expect(storePackage(at, key, files)).toEqual({ folder, unkept: null });
  expect(keptPackage(at, key)).toBe(folder);
  expect(read(folder)).toEqual(whole);
  expect(readdirSync(at)).toEqual([key]);
});

test("a package that another process has put there meanwhile stays: it may be loading it", () => {
  const at = cache();
  const { folder } = storePackage(at, key, files);
  writeFileSync(join(folder, "theirs"), "");
  expect(storePackage(at, key, files)).toEqual({ folder, unkept: null });
  expect(existsSync(join(folder, "theirs"))).toBe(true);
  expect(readdirSync(at)).toEqual([key]);
});

test("where a file stands in the way of the cache, the package lies elsewhere until the process ends, and why is told", () => {
  const at = cache();
  writeFileSync(at, "");
  const { folder, unkept } = storePackage(at, key, files);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  expect(folder.startsWith(tmpdir())).toBe(true);
  expect(unkept).not.toBeNull();
  expect(read(folder)).toEqual(whole);
});

test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
  "so where the cache is read-only; what it holds is found all the same (not as root)",
  () => {
    const at = cache();
    const { folder } = storePackage(at, key, files);
    chmodSync(at, 0o500);
    onTestFinished(() => chmodSync(at, 0o700));
    expect(keptPackage(at, key)).toBe(folder);
    expect(storePackage(at, key.replace("0", "f"), files).unkept).toBe("permission denied");
  },
);

test("the twenty that were used last are kept, and what was never finished goes after a day", () => {
  const at = cache();
  const name = (i: number): string => i.toString(16).padStart(32, "0");
  for (let i = 0; i < 22; i += 1) {
    storePackage(at, name(i), files);
    utimesSync(join(at, name(i)), 1000 + i, 1000 + i);
  }
  mkdirSync(join(at, ".old-draft"));
  utimesSync(join(at, ".old-draft"), 1000, 1000);
  mkdirSync(join(at, ".young-draft"));
  expect(keptPackage(at, name(2))).not.toBeNull();
  storePackage(at, name(99), files);
  const left = readdirSync(at).sort();
  expect(left).toContain(".young-draft");
  expect(left).not.toContain(".old-draft");
  expect(left.filter((x) => !x.startsWith("."))).toHaveLength(20);
  expect(left).toContain(name(2));
  expect(left).not.toContain(name(3));
});
