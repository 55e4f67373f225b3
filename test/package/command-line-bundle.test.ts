/** The command line as it is installed: what it brings along, what it imports, and what it leaves until it is asked for. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { bundleCommandLine } from "../../compiler/cli/bundle/bundle-command-line.ts";
import type { Bundle } from "../../compiler/cli/bundle/bundle-runtime.ts";
import { root } from "../conformance/bind-text.ts";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleCommandLine(root);
}, 60_000);

/** Of `name` and all that it imports before it runs. */
function sourcesOf(name: string): string {
  const { outputs } = bundle.metafile;
  const loaded = new Set(Object.keys(outputs).filter((path) => path.endsWith(`/${name}`)));
  expect(loaded.size).toBe(1);
  // A set that grows while it is walked is walked to its end.
  for (const path of loaded)
    for (const one of outputs[path]?.imports ?? [])
      if (one.kind === "import-statement" && one.external !== true) loaded.add(one.path);
  return [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})).join("\n");
}

test("what it imports is installed with it, or is asked for by builds alone", () => {
  const {
    dependencies,
    peerDependencies,
  }: Record<string, Record<string, string>> = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const installed = new Set([...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies ?? {})]);
  const foreign = Object.values(bundle.metafile.outputs).flatMap(({ imports }) =>
    imports.filter((one) => one.external === true && !/^node:|^(?:fs|path|url)$/.test(one.path)),
  );
  const missing = foreign.filter(({ path }) => !installed.has(path.replace(/(?<=\w)\/.*/, "")));
  const asked = new Set(missing.map(({ path, kind }) => `${path} by ${kind}`));
  expect([...asked].sort()).toEqual(["esbuild by dynamic-import", "ts-morph by dynamic-import"]);
});

test("commands are loaded when they are asked for, and the worker loads what proves kernels and makes modules alone", () => {
  expect(sourcesOf("main.js")).not.toMatch(/chevrotain|dsl\/parser|-command\.ts|runtime\/session/);
  expect(sourcesOf("module-worker.js")).toMatch(/compiler\/cli\/compile\/module-worker\.ts/);
  expect(sourcesOf("module-worker.js")).not.toMatch(/chevrotain|dsl\/(?:parser|checker)|compiler\/passes|-command\.ts/);
});

test("it names the licences of what is in it, and has a map for each script", () => {
  const names = bundle.files.map(({ name }) => name);
  const licences = new TextDecoder().decode(bundle.files.find(({ name }) => name === "LICENSES")?.content);
  expect(licences).toMatch(/^SPDX-License-Identifier: Apache-2.0 AND MIT\n/);
  for (const name of ["dsc", "chevrotain", "lodash-es", "@huggingface/tokenizers"])
    expect(licences).toMatch(new RegExp(`^${name} [\\d.]+: `, "m"));
  for (const name of names.filter((name) => name.endsWith(".js"))) expect(names).toContain(`${name}.map`);
});
