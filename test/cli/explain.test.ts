import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { codes } from "../../dsl/diagnostics/codes.ts";
import { dsc, startDsc } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const cwd = tmpdir();

test.concurrent("a page, whatever the case of its code", async () => {
  const [upper, lower] = await Promise.all([
    dsc(["explain", "DS0202"], { cwd }),
    runInside(["explain", "ds0202"], cwd),
  ]);
  expect(upper.code).toBe(0);
  expect(upper.out).toMatch(/^DS0202: layouts differ\n/);
  expect(upper.out).toContain("Repaired");
  expect(lower).toEqual(upper);
});

test.concurrent("without a code it lists all", async () => {
  const { code, out } = await runInside(["explain"], cwd);
  expect(code).toBe(0);
  expect(out.trimEnd().split("\n")).toEqual(Object.entries(codes).map(([name, headline]) => `${name}  ${headline}`));
});

test.concurrent("an unknown code names its neighbours", async () => {
  const { code, out, error } = await runInside(["explain", "0210x"], cwd);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(error).toContain("did you mean DS0210 (ambiguous sum)");
  expect((await runInside(["explain", "constructor"], cwd)).error).toContain("lists all codes");
});

test.concurrent("as JSON", async () => {
  const page: unknown = JSON.parse((await runInside(["explain", "DS0210", "--json"], cwd)).out);
  expect(page).toMatchObject({
    code: "DS0210",
    headline: "ambiguous sum",
    text: expect.stringContaining("## Failing"),
  });
});

test.concurrent("colours only when asked for, as this is no terminal", async () => {
  const args = ["explain", "DS0210"];
  const runs = await Promise.all(
    [{}, { FORCE_COLOR: "1" }, { FORCE_COLOR: "0" }, { NO_COLOR: "1" }].map((env) => dsc(args, { cwd, env })),
  );
  expect(runs.map(({ out }) => out.includes("\u001b["))).toEqual([false, true, false, false]);
});

test.concurrent("a reader that goes away is no error", async () => {
  const child = startDsc(["explain"], { cwd });
  child.stdin?.end();
  child.stdout?.destroy();
  let error = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    error += chunk.toString("utf8");
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, error }).toEqual({ code: 0, error: "" });
});
