import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOf } from "../../compiler/cli/bundle/bundle-runtime.ts";
import { storeBundle, storedBundle } from "../../compiler/cli/bundle/stored-bundle.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dsc-bundle-"));
  mkdirSync(join(folder, "runtime"));
  writeFileSync(join(folder, "runtime/a.ts"), "first");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const home = () => ({ folder, version: "0" });
const inputs = { "runtime/a.ts": hashOf(bytes("first")), "node_modules/x/not-shipped.js": "0" };
const files = (chunk: string) => [
  { name: chunk, content: bytes("chunk") },
  { name: "runtime.js", content: bytes(`import "./${chunk}"`) },
];

test("a bundle is found again until a source changes or a file is gone", () => {
  expect(storedBundle(home(), "wasm")).toBeNull();
  storeBundle(folder, "wasm", { files: files("chunk-A.js"), inputs });
  const found = storedBundle(home(), "wasm")?.map(({ name, content }) => [name, new TextDecoder().decode(content)]);
  expect(found).toEqual([
    ["chunk-A.js", "chunk"],
    ["runtime.js", 'import "./chunk-A.js"'],
  ]);
  writeFileSync(join(folder, "runtime/a.ts"), "second");
  expect(storedBundle(home(), "wasm")).toBeNull();
  writeFileSync(join(folder, "runtime/a.ts"), "first");
  expect(storedBundle(home(), "wasm")).not.toBeNull();
  rmSync(join(folder, "dist/bundle/wasm/chunk-A.js"));
  expect(storedBundle(home(), "wasm")).toBeNull();
});

test("a new bundle leaves nothing of the old one", () => {
  storeBundle(folder, "wasm", { files: files("chunk-A.js"), inputs });
  storeBundle(folder, "wasm", { files: files("chunk-B.js"), inputs });
  expect(readdirSync(join(folder, "dist/bundle/wasm")).sort()).toEqual(["bundle.json", "chunk-B.js", "runtime.js"]);
});
