import { expect, test } from "vitest";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const model = `import swiglu from "std/linear"

block cached(x: [T, D], pos: [T] in S) -> y: [T, D] {
  param E : dim
  weight w_gate : [E, D] at "gate.weight"
  part expert[e in E] : swiglu(F: 2 * D) at "experts.{e}"
  state row  : [S, D]
  state code : [S, 3] u8
  row[pos[t]]    <- x[t]
  code[pos[t],j] <- 0
  a[t,e] := w_gate[e,d] * x[t,d]
  w[t, e in top(a[t], 2)] := a[t,e]
  y[t] := w[t,e] * expert[e](x[t])
}

model stack {
  config {
    D : dim = $.d
    L : dim = $.l
    V : dim = $.v
  }
  runtime T : dim    in 1..16
  runtime S : memory in 1..64
  weight embed : [V, D] at "embed.weight"
  part layer[l in L] : cached(E: 4) at "layers.{l}"
  optional part extra : swiglu(F: D) at "extra"
  entry forward(ids: [T] in V, pos: [T] in S) -> y: [T, D] {
    h[0,t]   := embed[ids[t]]
    h[l + 1] := layer[l](h[l], pos)
    y        := h[L]
  }
  entry more(x: [D]) -> y: [D] {
    y := extra(x)
  }
}
`;
const files = { "stack.ds": model, "config.json": '{ "d": 8, "l": 3, "v": 100 }' };

test("the table goes to standard output", async () => {
  const cwd = project(files);
  const { code, out, error } = await dsc(["params", "stack.ds", "--config", "config.json"], { cwd });
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toBe(`model stack                 parameters  activated  bytes a token
embed                              800        800                 a row a token
layer x 3: cached                4,704      2,400             57
  expert x 4: swiglu             4,608      2,304                 2 of 4 a token
total                            5,504      3,200             57  5.50 K, 3.20 K activated
  without embedding                         2,400                 2.40 K activated

optional, not in the total
extra: swiglu                      192        192
optional                           192        192              0  192, 192 activated

activated: by one token, all but the members of a family that a call leaves out, and but tables
bytes a token: of all states, bf16 where a state says no format
`);
});

test("--kv sets the format of states that say none", async () => {
  const cwd = project(files);
  const { out } = await runInside(["params", "stack.ds", "--config", "config.json", "--kv", "f32", "--json"], cwd);
  expect(JSON.parse(out)).toMatchObject({
    model: "stack",
    format: "f32",
    tokenBytes: 3 * (8 * 4 + 3),
    total: { all: 5504, activated: 3200, embedding: 800 },
    optional: { total: { all: 192 } },
  });
});

test("what cannot be counted is said", async () => {
  const cwd = project({ ...files, "none.ds": "fn f(x: real) = x\n", "wrong.ds": "fn f(x: real) = y\n" });
  const runs = await Promise.all(
    [["none.ds"], ["wrong.ds"], ["stack.ds"], ["stack.ds", "--kv", "f31"]].map((args) =>
      runInside(["params", ...args], cwd),
    ),
  );
  expect(runs.map(({ code, out }) => [code, out])).toEqual([
    [1, ""],
    [1, ""],
    [1, ""],
    [2, ""],
  ]);
  expect(runs[0]?.error).toContain("none.ds has no model to count");
  expect(runs[1]?.error).toContain("error[DS0101]");
  expect(runs[2]?.error).toContain("sizes are not known without a config");
  expect(runs[3]?.error).toContain("--kv f31: there is no such format");
});
