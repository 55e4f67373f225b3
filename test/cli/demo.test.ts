/** `dsc demo`, and weights that lie beside a text. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { goldenPrompt, readGolden, whyUntrained } from "../tinyseek/golden.ts";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const emptyFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "dsc-demo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

describe.skipIf(whyUntrained !== "")(`the model that comes along${whyUntrained}`, () => {
  test("the story goes to standard output and begins with its prompt; the rest to standard error", async () => {
    const { code, out, error } = await dsc(
      ["demo", "--temperature", "0", "--max-tokens", "8", "--backend", "reference"],
      { cwd: emptyFolder() },
    );
    expect({ code, out }).toEqual({ code: 0, out: "Once upon a time, there was a little girl\n" });
    expect(error).toContain("8 tokens at");
    expect(error).toMatch(/drafted \d+, accepted \d+/);
    expect(error.split("\n").filter((line) => line.startsWith("  npx dsc "))).toHaveLength(3);
  });

  test("its prompt is written with the text: what is being done until then would wipe it out", async () => {
    const said: string[] = [];
    const line = ["demo", "--temperature", "0", "--max-tokens", "2", "--backend", "reference"];
    const { out } = await runInside(line, root, [], (_, written) => said.push(written));
    expect(out).toBe("Once upon a time, there\n");
    expect(said.length).toBeGreaterThan(0);
    expect(new Set(said)).toEqual(new Set([""]));
  });

  test("a prompt and a seed are taken; the same seed gives the same story", async () => {
    const args = ["demo", "--prompt", "Tom", "--temperature", "1", "--seed", "3", "--max-tokens", "12"];
    const run = () => dsc([...args, "--backend", "reference", "--draft", "off"], { cwd: root });
    const [first, second] = await Promise.all([run(), run()]);
    expect(first.out).toMatch(/^Tom/);
    expect(first.out.length).toBeGreaterThan(8);
    expect(second.out).toBe(first.out);
  });

  test("run finds the weights beside the text", async () => {
    const { ids, prompt } = goldenPrompt(readGolden(), "opening");
    const line = ["run", "models/tinyseek/tinyseek.ds", "--ids", prompt.join(","), "--max-tokens", "6", "--json"];
    const { code, out } = await dsc(line, { cwd: root });
    expect(code).toBe(0);
    expect(JSON.parse(out).ids).toEqual(ids.slice(0, 6));
  });
});

test.each([
  { args: ["--sed", "1"], hint: "did you mean `--seed`?" },
  { args: ["--temperature", "warm"], hint: "--temperature" },
  { args: ["--max-tokens", "0"], hint: "--max-tokens" },
  { args: ["story.ds"], hint: "story.ds" },
])("demo $args is told what is wrong", async ({ args, hint }) => {
  const { code, out, error } = await dsc(["demo", ...args], { cwd: root });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(error).toContain(hint);
});

test("without --weights a text that has none beside it is told so", async () => {
  const folder = project({ "a.ds": "model a {}\n" });
  const { code, error } = await dsc(["run", "a.ds", "--ids", "1"], { cwd: folder });
  expect(code).toBe(2);
  expect(error).toContain("--weights is missing");
});
