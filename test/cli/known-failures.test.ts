/** What a package's runtime throws, as the command line says it. */
import { expect, test } from "vitest";
import { runtimeFailure } from "../../compiler/cli/known-failures.ts";
import { reportFailure } from "../../compiler/cli/terminal.ts";
import { CorruptPackageError, KernelError, WeightsMismatchError } from "../../runtime/artifact/errors.ts";

function said(error: Error): string | null {
  let text = "";
  const terminal = {
    ...{ cwd: "/", columns: 80, colour: { out: false, error: false }, out: () => undefined },
    ...{
      progress: () => undefined,
      lines: () => ({ typed: false, next: () => Promise.reject(), close: () => undefined }),
    },
    error: (part: string) => {
      text += part;
    },
  };
  const failure = runtimeFailure(error);
  if (failure === null) return null;
  expect(reportFailure(terminal, failure)).toBe(1);
  return text;
}

test("a damaged package is no bug, a kernel that fails is one", () => {
  const text = said(new CorruptPackageError("program.json", "$: no JSON"));
  expect(text).toBe("dsc: program.json: $: no JSON\n  the package is damaged: compile it again\n");
  expect(said(new KernelError("phase decode, y: unreachable", null))).toBeNull();
});

test("tensors that do not fit are told a line each, and a line break in a name breaks none", () => {
  const problem = (name: string, message: string) =>
    ({ kind: "extra", tensor: name, weight: null, at: null, message }) as const;
  const problems = ["a", "b\nc"].map((name) => problem(name, `${JSON.stringify(name)} is not in the model`));
  const lines = [
    "dsc: the weights do not fit the model:",
    '  "a" is not in the model',
    '  "b\\nc" is not in the model',
    "  and 7 more",
    "",
  ];
  expect(said(new WeightsMismatchError(problems, 9))).toBe(lines.join("\n"));
});
