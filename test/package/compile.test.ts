/** `dsc compile`: what it writes, where it does not, and that it writes the same again. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { smallConfig } from "./small-config.ts";

const model = join(root, "models/deepseek-llm.ds");
/** The model in a project of its own, under a name of its own. */
function place(): string {
  const cwd = project({ "config.json": smallConfig });
  cpSync(model, join(cwd, "model.ds"));
  return cwd;
}

const contents = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "latin1")]),
  );

test("the same text gives the same bytes in another folder", async () => {
  const [here, there] = [place(), place()];
  const first = await runInside(["compile", "model.ds", "--config", "config.json", "--out", "out", "--verify"], here);
  expect(first).toMatchObject({ code: 0, error: "" });
  expect(first.out).toMatch(/^out: deepseek_llm, \d+ kernels, [\d.]+ KiB of WebAssembly, [\d.]+ s\n$/);
  const line = ["compile", "model.ds", "--config", "config.json", "--json"];
  const second = await runInside(line, there);
  expect(second.code).toBe(0);
  const [a, b] = [contents(join(here, "out")), contents(join(there, "model"))];
  const told: { readonly files: readonly { readonly name: string; readonly bytes: number }[] } = JSON.parse(second.out);
  expect(told.files.map(({ name }) => name).sort()).toEqual([...b.keys()].sort());
  expect([...b.keys()].sort()).toEqual([...a.keys()].sort());
  for (const [name, bytes] of a) {
    expect(b.get(name) === bytes, `${name} is the same`).toBe(true);
    for (const trace of [here, there, root]) expect(bytes.includes(trace), `${trace} in ${name}`).toBe(false);
  }
});

test.each([
  [["--target", "wsam"], 2, "did you mean `wasm`?"],
  [["--weights-type", "f8"], 2, "there is f32, bf16, f16"],
  [["--text", "all"], 2, "there is chat, plain, none"],
  [["--without", "node,page"], 2, "--without page: there is cache, node"],
  [["--page", "--without", "cache"], 2, "leave out --without cache or --page"],
  [["--entry", "backward"], 2, "has no entry `backward`"],
  [["--config", "nothing.json"], 3, "nothing.json"],
])("a wrong command line is refused: %s", async (args, code, message) => {
  const cwd = place();
  const given = args[0] === "--config" ? args : ["--config", "config.json", ...args];
  const ran = await runInside(["compile", "model.ds", "--out", "out", ...given], cwd);
  expect(ran).toMatchObject({ code, out: "" });
  expect(ran.error).toContain(message);
  expect(existsSync(join(cwd, "out"))).toBe(false);
});

test("a folder with something else is refused before anything is compiled", async () => {
  const cwd = place();
  const ran = await runInside(["compile", "model.ds", "--config", "config.json", "--out", "."], cwd);
  expect(ran).toMatchObject({ code: 3, out: "" });
  expect(ran.error).toContain("is not replaced");
});

test("errors of the model are told, and nothing is written", async () => {
  const cwd = place();
  writeFileSync(
    join(cwd, "model.ds"),
    readFileSync(model, "utf8").replace("hidden[t]   := norm(h[L,t])", "hidden[t] := h[t]"),
  );
  const ran = await runInside(["compile", "model.ds", "--config", "config.json", "--out", "out"], cwd);
  expect(ran).toMatchObject({ code: 1, out: "" });
  expect(ran.error).toMatch(/error\[DS\d+\]/);
  expect(existsSync(join(cwd, "out"))).toBe(false);
});
