import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { commands } from "../../compiler/cli/commands.ts";
import { dsc } from "./run-dsc.ts";

const cwd = tmpdir();

test.concurrent("help lists every command and every exit code", async () => {
  const { code, out, error } = await dsc(["help"], { cwd });
  expect({ code, error }).toEqual({ code: 0, error: "" });
  for (const { spec } of commands) expect(out).toMatch(new RegExp(`^ {2}${spec.name} `, "m"));
  for (const exit of [0, 1, 2, 3, 70, 130]) expect(out).toMatch(new RegExp(`^ {2}${exit} `, "m"));
  expect((await dsc(["--help"], { cwd })).out).toBe(out);
});

test.concurrent("help of a command names its options, in both spellings", async () => {
  const [a, b] = await Promise.all([dsc(["help", "fmt"], { cwd }), dsc(["fmt", "--help"], { cwd })]);
  expect(a.code).toBe(0);
  expect(b.out).toBe(a.out);
  for (const option of ["--check", "--explicit", "--flat", "--stdin", "--json"])
    expect(a.out).toContain(`  ${option} `);
});

test.concurrent("the version is that of the package", async () => {
  const about: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  expect(await dsc(["--version"], { cwd })).toEqual({ code: 0, out: `${about.version}\n`, error: "" });
});

test.concurrent.each([
  { args: [], code: 2, error: "Usage: dsc COMMAND" },
  { args: ["chekc"], code: 2, error: "did you mean `dsc check`?" },
  { args: ["help", "nothing"], code: 2, error: "there is no command `nothing`" },
  { args: ["check"], code: 2, error: "check needs a file" },
  { args: ["check", "a.ds", "--weigths", "x"], code: 2, error: "did you mean `--weights`?" },
  { args: ["check", "a.ds", "--config"], code: 2, error: "--config needs a value" },
  { args: ["check", "a.ds", "--config", "--json"], code: 2, error: "--config needs a value" },
  { args: ["check", "a.ds", "--json=yes"], code: 2, error: "--json takes no value" },
  { args: ["check", "a.ds", "--config", "a", "--config", "b"], code: 2, error: "--config is given twice" },
  { args: ["check", "a.ds", "--set", "exact"], code: 2, error: "expected name=value" },
  { args: ["graph", "a.ds", "b.ds"], code: 2, error: "`b.ds`" },
  { args: ["fmt", "--check", "--flat"], code: 2, error: "do not go together" },
  { args: ["fmt", "--flat", "a.ds", "b.ds"], code: 2, error: "--flat takes one file" },
])("a wrong command line is refused: dsc $args", async ({ args, code, error }) => {
  const ran = await dsc(args, { cwd });
  expect(ran).toMatchObject({ code, out: "" });
  expect(ran.error).toContain(error);
});
